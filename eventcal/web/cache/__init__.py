"""What one worker caches, and what it does in the background."""
