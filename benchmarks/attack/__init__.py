"""The local AWS under attack: each module does one kind of harm and counts what it did."""
