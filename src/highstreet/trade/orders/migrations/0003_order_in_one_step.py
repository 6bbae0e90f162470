"""A quote without a cart: an order that was made in one step."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    serving = "dropping NOT NULL changes the catalogue only, and what runs now writes a cart always"

    dependencies = [("cart", "0001_initial"), ("orders", "0002_money_given_back")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE orders_quote ALTER COLUMN cart_id DROP NOT NULL",
            "ALTER TABLE orders_quote ALTER COLUMN cart_id SET NOT NULL",
            state_operations=[
                migrations.AlterField(
                    model_name="quote",
                    name="cart",
                    field=models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="cart.cart"
                    ),
                ),
                migrations.AlterField(model_name="quote", name="cart_version", field=models.IntegerField(default=0)),
            ],
        ),
    ]
