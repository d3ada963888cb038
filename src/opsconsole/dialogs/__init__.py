"""Prompts: plain state machines that say what they show and what a key does. One widget shows whichever is open.

They stand on the bottom of the same screen, above the news and never over row 1 and 2. Enter confirms nothing: it
ends a line that was typed. What confirms is another key than the one that opened the prompt, or a scope typed whole.
"""
