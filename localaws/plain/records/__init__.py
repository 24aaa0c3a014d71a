"""What moto holds of a service, as our own JSON: `keep` writes it, `restore` makes it anew.

The shape of a file is ours and stays. Should a later moto call its attributes otherwise, these
modules change, and a test with a file of each service says whether they still read it. Others may
write meanwhile: what is looped over is a copy.
"""
