"""The console without a terminal, driven by a script: what a script may say, and the stage that it plays on.

`reading`, `expecting`, `steps` and `grammar` are pure: they turn a text into typed steps, or say in one sentence what
is wrong with it and where. `world` is a fleet in memory whose clock stands still; `stage` and `player` drive the
console; `pictures` and `saving` keep what it showed.
"""
