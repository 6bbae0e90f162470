from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "highstreet.trade.reviews"
    label = "reviews"
