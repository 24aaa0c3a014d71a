"""AWS Identity and Access Management: users, roles, policies and access keys."""
