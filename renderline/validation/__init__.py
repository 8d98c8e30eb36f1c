"""Checks of JSON values: marshmallow fields, schemas and validators, refusals, JSON limits. Nothing about kinds."""
