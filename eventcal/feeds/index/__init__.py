"""The feed index: stored entries, updated in the transaction of the change that they reflect."""
