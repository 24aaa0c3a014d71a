"""What a run here and a run in an account answered, side by side.

`kit.gather` turns a run into facts: for each event of its history, and for what Describe and Get
tell of all that it made, each field's form. `forms` says which values matter and which are another
one every time; `differences` compares two kits; `guesses` lists what the code marks as guessed.
"""
