"""The current user: permissions, passwords, second factors, passkeys and registration."""
