"""Who calls, and what they may do: nothing here knows a service or the server."""
