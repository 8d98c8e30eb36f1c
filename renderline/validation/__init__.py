"""Checks of JSON values: marshmallow fields, schemas and validators, refusals, JSON limits. It knows no kinds."""
