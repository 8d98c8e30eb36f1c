"""An emulator of the AI Studios API (v3 and v2) over real HTTP, with faults on demand; see README.md here."""
