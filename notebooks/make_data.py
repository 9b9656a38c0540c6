"""Write the messy data of a shop, orders.csv and customers.csv, the same bytes every time."""

from __future__ import annotations

import csv
import random
from datetime import date, timedelta
from pathlib import Path

SEED = 71
CUSTOMERS = 600
ORDERS = 6000
FIRST_DAY = date(2023, 1, 2)
DAYS = 540

TOWNS = {
    "Basel": "CH", "Bern": "CH", "Chur": "CH", "Zürich": "CH",
    "Graz": "AT", "Linz": "AT", "Wien": "AT",
    "Bremen": "DE", "Köln": "DE", "Leipzig": "DE", "Ulm": "DE",
    "Lille": "FR", "Lyon": "FR", "Nantes": "FR",
}  # fmt: skip
FIRST_NAMES = ("Ada", "Béla", "Chiara", "Dilan", "Emil", "Fatou", "Greta", "Hugo", "Ines", "Jonas", "Klara", "Luan")
LAST_NAMES = ("Amsler", "Brandt", "Costa", "Dubois", "Egger", "Favre", "Graf", "Huber", "Ivanov", "Jost", "Keller")
PRODUCTS = {
    "LAMP-01": 3490, "LAMP-02": 12900, "CHAIR-7": 8950, "TABLE-3": 124900, "MUG-11": 1250,
    "RUG-05": 21900, "CLOCK-2": 4990, "SHELF-9": 15900, "VASE-04": 2790,
}  # fmt: skip
STATUSES = ("paid", "paid", "paid", "shipped", "shipped", "returned", "open")


def write_customers(path: Path, rng: random.Random) -> list[str]:
    """Write the customers' table and return their numbers."""
    numbers = [f"C{number:04d}" for number in rng.sample(range(1, 9999), CUSTOMERS)]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["customer", "name", "town", "country", "since"])
        for number in numbers:
            town = rng.choice(list(TOWNS))
            name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
            since = FIRST_DAY - timedelta(days=rng.randrange(2000))
            shown = rng.choices([town, town.upper(), f" {town}", town.lower()], [12, 1, 1, 1])[0]
            country = rng.choices([TOWNS[town], TOWNS[town].lower(), ""], [14, 1, 1])[0]
            table.writerow([number, name, shown, country, since.isoformat()])
    return numbers


def messy_date(day: date, rng: random.Random) -> str:
    """Spell a day in one of the ways that the shop's branches use."""
    return rng.choices([day.isoformat(), day.strftime("%d.%m.%Y"), day.strftime("%d/%m/%y"), ""], [12, 6, 3, 0.2])[0]


def messy_price(cents: int, rng: random.Random) -> str:
    """Spell a price in one of the ways that the shop's branches use."""
    plain = f"{cents / 100:.2f}"
    grouped = f"{cents / 100:,.2f}"
    swapped = grouped.translate(str.maketrans(",.", ".,"))
    ways = [plain, grouped, f"€ {swapped}", f"{swapped} EUR", "on request", ""]
    return rng.choices(ways, [10, 4, 4, 3, 0.1, 0.3])[0]


def messy_quantity(count: int, rng: random.Random) -> str:
    """Spell a number of pieces in one of the ways that the shop's branches use."""
    return rng.choices([str(count), f"{count} pcs", f"{count}x", f"-{count}", ""], [20, 2, 2, 0.2, 0.3])[0]


def write_orders(path: Path, customers: list[str], rng: random.Random) -> None:
    """Write the orders' table, a few lines of it twice and a few for customers that nobody knows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["Order No", " Customer", "Day ", "SKU", "Unit Price", "Qty", "Status"])
        for number in range(1, ORDERS + 1):
            # The shop grows, so that there is something to find.
            day = FIRST_DAY + timedelta(days=int(DAYS * rng.betavariate(1.6, 1.1)))
            sku = rng.choice(list(PRODUCTS))
            status = rng.choice(STATUSES)
            customer = rng.choices([rng.choice(customers), f"X{rng.randrange(99):02d}"], [60, 1])[0]
            row = [
                f"{number:05d}",
                rng.choices([customer, customer.lower(), f"{customer} "], [10, 1, 1])[0],
                messy_date(day, rng),
                rng.choices([sku, sku.lower(), sku.replace("-", " ")], [12, 1, 1])[0],
                messy_price(PRODUCTS[sku] + rng.choice([0, 0, 0, -100, 250]), rng),
                messy_quantity(rng.choices(range(1, 7), [40, 20, 9, 4, 2, 1])[0], rng),
                rng.choices([status, status.title(), status.upper()], [10, 2, 1])[0],
            ]
            for _ in range(rng.choices([1, 2], [50, 1])[0]):
                table.writerow(row)


def main() -> None:
    """Write both tables beside this file."""
    here = Path(__file__).parent
    rng = random.Random(SEED)  # noqa: S311 - sample data, not a secret
    write_orders(here / "orders.csv", write_customers(here / "customers.csv", rng), rng)


if __name__ == "__main__":
    main()
