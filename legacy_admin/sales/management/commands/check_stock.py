from django.core.management.base import BaseCommand, CommandError
from django.db import connection

DIFFERENT = """
SELECT i.item_no, i.qty_oh, coalesce(sum(m.qty), 0)
  FROM item i LEFT JOIN stock_mv m ON m.item_no = i.item_no
 GROUP BY i.item_no, i.qty_oh
HAVING i.qty_oh <> coalesce(sum(m.qty), 0)
 ORDER BY i.item_no
"""


class Command(BaseCommand):
    help = "Compares the stock balances with the movements. Exits with 1 if they differ."

    def handle(self, *args: object, **options: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(DIFFERENT)
            rows = cursor.fetchall()
        for item_no, balance, total in rows:
            self.stdout.write(f"{item_no}: balance {balance}, movements {total}")
        if rows:
            raise CommandError(f"{len(rows)} items differ")
        self.stdout.write("All balances agree with their movements.")
