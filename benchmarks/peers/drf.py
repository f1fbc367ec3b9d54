"""Django REST Framework: model serializers, cursor pagination, prefetching; served by gunicorn with threads."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import models, transaction
from django.db.models.functions import Now
from django.http import StreamingHttpResponse
from django.urls import path

at = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY="of the benchmark",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": at.path[1:],
            "USER": at.username,
            "HOST": at.hostname,
            "PORT": at.port,
            "CONN_MAX_AGE": None,
        }
    },
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from rest_framework import generics, pagination, renderers, serializers  # noqa: E402 - only after setup()

CODES = {"open": "10", "allocated": "20", "shipped": "30", "invoiced": "40", "cancelled": "90"}
NAMES = {code: name for name, code in CODES.items()}


class Customer(models.Model):
    objects: ClassVar[models.Manager[Customer]] = models.Manager()
    number = models.BigIntegerField(primary_key=True, db_column="cust_no")
    code = models.CharField(max_length=8)
    name = models.TextField()
    email = models.TextField(null=True)
    phone = models.TextField(null=True)
    tier = models.SmallIntegerField()
    active = models.BooleanField()
    credit_limit = models.DecimalField(max_digits=12, decimal_places=2)
    balance = models.DecimalField(max_digits=12, decimal_places=2)
    country = models.CharField(max_length=2)
    city = models.TextField()
    street = models.TextField()
    notes = models.TextField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "benchmark"
        managed = False
        db_table = "customers"


class Order(models.Model):
    objects: ClassVar[models.Manager[Order]] = models.Manager()
    number = models.BigAutoField(primary_key=True, db_column="order_id")
    customer = models.ForeignKey(Customer, models.DO_NOTHING, db_column="cust_no")
    status = models.CharField(max_length=2, db_default="10")
    placed_at = models.DateTimeField(db_default=Now())
    shipped_at = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    discount = models.DecimalField(max_digits=5, decimal_places=2, db_default=0)
    freight = models.DecimalField(max_digits=12, decimal_places=2, db_default=0)
    rush = models.BooleanField(db_default=False)
    channel = models.CharField(max_length=12)
    external_ref = models.UUIDField(db_default=models.Func(function="gen_random_uuid"))
    ship_name = models.TextField()
    ship_city = models.TextField()
    notes = models.TextField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "benchmark"
        managed = False
        db_table = "orders"


class Line(models.Model):
    objects: ClassVar[models.Manager[Line]] = models.Manager()
    pk = models.CompositePrimaryKey("order_id", "line")
    order = models.ForeignKey(Order, models.DO_NOTHING, related_name="lines")
    line = models.IntegerField(db_column="line_no")
    product = models.BigIntegerField(db_column="product_id")
    quantity = models.IntegerField(db_column="qty")
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    discount = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    backordered = models.BooleanField(default=False)
    memo = models.TextField(null=True)

    class Meta:
        app_label = "benchmark"
        managed = False
        db_table = "order_lines"
        ordering = ("line",)


class CustomerSerializer(serializers.ModelSerializer):
    class Meta:
        model = Customer
        fields = "__all__"


class LineSerializer(serializers.ModelSerializer):
    class Meta:
        model = Line
        fields = ("line", "product", "quantity", "unit_price", "discount", "backordered", "memo")
        read_only_fields = ("discount", "backordered")


class StatusField(serializers.Field):
    def to_representation(self, value: str) -> str:
        return NAMES[value]


ORDER = ("number", "customer_number", "status", "placed_at", "shipped_at", "currency", "total", "discount", "freight",
         "rush", "channel", "external_ref", "ship_name", "ship_city", "notes", "updated_at")  # fmt: skip


class OrderSerializer(serializers.ModelSerializer):
    customer_number = serializers.PrimaryKeyRelatedField(
        source="customer", queryset=Customer.objects.all(), pk_field=serializers.IntegerField()
    )
    status = StatusField(read_only=True)

    class Meta:
        model = Order
        fields: tuple[str, ...] = ORDER
        read_only_fields = ("placed_at", "shipped_at", "discount", "freight", "rush", "external_ref", "updated_at")


class WholeOrderSerializer(OrderSerializer):
    customer = CustomerSerializer()
    lines = LineSerializer(many=True)

    class Meta(OrderSerializer.Meta):
        fields = (*ORDER, "customer", "lines")


class NewOrderSerializer(OrderSerializer):
    lines = LineSerializer(many=True)

    class Meta(OrderSerializer.Meta):
        fields = (*ORDER, "lines")

    @transaction.atomic
    def create(self, validated_data: dict[str, Any]) -> Order:
        lines = validated_data.pop("lines")
        order = Order.objects.create(**validated_data)
        order.refresh_from_db()
        Line.objects.bulk_create([Line(order=order, **line) for line in lines])
        return order


class Newest(pagination.CursorPagination):
    page_size = 50
    ordering = ("-placed_at", "-number")


class Orders(generics.ListCreateAPIView):
    queryset = Order.objects.all()
    pagination_class = Newest

    def get_serializer_class(self) -> type:
        return NewOrderSerializer if self.request.method == "POST" else OrderSerializer

    def filter_queryset(self, queryset: models.QuerySet[Order]) -> models.QuerySet[Order]:
        return queryset.filter(status=CODES[self.request.query_params["status"]])


class WholeOrders(Orders):
    queryset = Order.objects.select_related("customer").prefetch_related("lines")

    def get_serializer_class(self) -> type:
        return WholeOrderSerializer


class OneOrder(generics.RetrieveAPIView):
    queryset = Order.objects.all()
    serializer_class = OrderSerializer


EXPORT = Order.objects.filter(number__lte=200000).order_by("number")


def export_ndjson(_request: object) -> StreamingHttpResponse:
    render, serializer = renderers.JSONRenderer().render, OrderSerializer()
    rows = (render(serializer.to_representation(order)) + b"\n" for order in EXPORT.iterator(1000))
    return StreamingHttpResponse(_joined(rows), content_type="application/x-ndjson")


class Echo:
    def write(self, value: str) -> str:
        return value


def export_csv(_request: object) -> StreamingHttpResponse:
    writer, serializer = csv.DictWriter(Echo(), ORDER), OrderSerializer()

    def rows() -> Iterator[bytes]:
        yield writer.writeheader().encode()
        for order in EXPORT.iterator(1000):
            yield writer.writerow(serializer.to_representation(order)).encode()

    return StreamingHttpResponse(_joined(rows()), content_type="text/csv")


def _joined(rows: Iterator[bytes]) -> Iterator[bytes]:
    chunk: list[bytes] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == 500:
            yield b"".join(chunk)
            chunk.clear()
    yield b"".join(chunk)


urlpatterns = [
    path("orders.ndjson", export_ndjson),
    path("orders.csv", export_csv),
    path("orders/<int:pk>", OneOrder.as_view()),
    path("orders", Orders.as_view()),
    path("orders-with-lines", WholeOrders.as_view()),
]
application = get_wsgi_application()
