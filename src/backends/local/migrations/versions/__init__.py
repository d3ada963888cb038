"""One module for each step. A step that has been released is never edited; the next one corrects it."""
