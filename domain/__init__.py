"""What is allowed and done: pure rules, verbs, and which rows a viewer may see."""
