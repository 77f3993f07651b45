"""The later process: what happens after a commit or at a time; it calls the domain's verbs and decides nothing itself."""
