"""The feed index: stored calendar entries, updated in the same transaction as the data that the entries show."""
