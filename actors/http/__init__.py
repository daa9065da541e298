"""The status server (contract.md 5): five pages for monitors and scripts, read only."""
