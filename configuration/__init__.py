"""What a command is told before it does anything: rebuy.toml and what it names.

`settings` has the settings of a stage, `mapping` a shop's own files, `connection` the account that
is meant, `errors` what is wrong with them.
"""
