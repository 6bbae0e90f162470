"""django-oscar, served beside Highstreet by `bench/serving.py --with oscar`."""
