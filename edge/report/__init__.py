"""What the outside is told, and how."""
