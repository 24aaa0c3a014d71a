"""Whether the product would work on AWS, found out without an account (`rebuy validate`).

A run is rehearsed: every state is entered with the data that the states before it write, in every
order that choices and catches allow; each request is checked by its service's model, each statement
by Athena's rules against the tables that are there by then, each call by the role that makes it.
`account.py` asks an account as much as it can for nothing (`rebuy validate --aws`).

Both halves meet here: the product's files, and localaws' engines that check them.
"""
