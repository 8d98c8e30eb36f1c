"""Upgrades of a running system: workers of two versions side by side on one Valkey."""
