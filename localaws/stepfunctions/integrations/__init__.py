"""What a Task can do: any AWS API call, and the optimised integrations."""
