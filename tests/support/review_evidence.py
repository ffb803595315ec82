"""Evidence as the tools store it, small enough to be read beside a test."""

from typing import Any

from twokey.core.values import Finding, Report

SCHEMA = "e-000000000001"
PROFILE = "e-000000000002"
KEYS = "e-000000000003"
ORDERS = "e-000000000004"
REPOSITORY = "e-000000000005"


def table(name: str) -> dict[str, Any]:
    return {"schema_name": "", "name": name}


def column(name: str, position: int, type_: str = "TEXT") -> dict[str, Any]:
    return {"name": name, "position": position, "type": type_, "nullable": True, "comment": ""}


def profile(name: str, **facts: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "TEXT",
        "values": 5000,
        "nulls": 12,
        "checked": 5000,
        "patterns": {"email": 0, "date": 0, "number": 0},
        "minimum": None,
        "maximum": None,
        "shapes": [],
        "top": [],
        "samples": [],
        **facts,
    }


def evidence() -> dict[str, Any]:
    """Two tables: customers(customer_id, contact, plan, signed, first name) and orders(order_id, customer_id, day)."""
    customers = ["customer_id", "contact", "plan", "signed", "first name", "nothing_here"]
    orders = ["order_id", "customer_id", "day"]
    return {
        SCHEMA: {
            "warehouse": "app_db",
            "answer": {
                "op": "schema",
                "dialect": "sqlite",
                "tables": [
                    {
                        "table": table("customers"),
                        "is_view": False,
                        "columns": [column(name, number) for number, name in enumerate(customers, 1)],
                        "primary_key": ["customer_id"],
                        "rows": 5012,
                    },
                    {
                        "table": table("orders"),
                        "is_view": False,
                        "columns": [column(name, number, "VARCHAR(37)") for number, name in enumerate(orders, 1)],
                        "primary_key": [],
                        "rows": 777,
                    },
                ],
            },
        },
        PROFILE: {
            "warehouse": "app_db",
            "answer": {
                "op": "profile",
                "table": table("customers"),
                "rows": 5012,
                "sampled": 5012,
                "columns": [
                    profile("customer_id"),
                    profile("contact", patterns={"email": 4981, "date": 0, "number": 0}),
                    profile(
                        "plan",
                        top=[
                            {"text": "free", "count": 3000},
                            {"text": "team", "count": 1900},
                            {"text": "n/a", "count": 61},
                            {"text": "-", "count": 39},
                            # a cell that is called like another column
                            {"text": "contact", "count": 17},
                        ],
                    ),
                    profile(
                        "signed",
                        minimum="2021-03-04",
                        maximum="2026-11-20",
                        patterns={"email": 0, "date": 4950, "number": 0},
                        shapes=[{"text": "9999-99-99", "count": 4993}],
                    ),
                    profile("first name", samples=["A…", "B…"]),
                ],
            },
        },
        KEYS: {
            "warehouse": "app_db",
            "answer": {
                "op": "keys",
                "checks": [
                    {
                        "check": {
                            "child": table("orders"),
                            "child_columns": ["customer_id"],
                            "parent": table("customers"),
                            "parent_columns": ["customer_id"],
                        },
                        "child_rows": 777,
                        "child_distinct": 312,
                        "present": 308,
                        "orphans": 4,
                        "orphan_rows": 9,
                    }
                ],
            },
        },
        ORDERS: {
            "warehouse": "app_db",
            "answer": {
                "op": "profile",
                "table": table("orders"),
                "rows": 777,
                "sampled": 777,
                "columns": [profile("order_id", values=777, nulls=0, checked=777), profile("customer_id", values=777)],
            },
        },
        REPOSITORY: {
            "branch": "main",
            "commit": "a" * 40,
            "files": [{"path": "models/schema.yml", "text": BEFORE, "sha": "b" * 40}],
        },
    }


BEFORE = """\
version: 2
sources:
  - name: app
    tables:
      - name: customers
        columns:
          - name: customer_id
            description: Whose it is. Never reuse!
            data_tests: [unique]
models:
  - name: orders_model
    config:
      alias: orders
    columns:
      - name: order_id
"""


def finding(claim: str, subject: str = "customers.contact", *cited: str, **more: Any) -> Finding:
    return Finding(
        id=more.get("id", "f-1"),
        subject=subject,
        kind=more.get("kind", "sensitivity"),
        claim=claim,
        evidence=cited or (PROFILE, SCHEMA),
        confidence=90,
    )


def report(*findings: Finding) -> Report:
    return Report(agent="catalog", findings=findings)
