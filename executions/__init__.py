"""What an execution did, read over the AWS API: clients, events, history, cause, audit record.

The ground floor: it imports nothing of ours, ships with the functions, and everybody may use it.
"""
