"""A small Django project in one file: the middleware of a new project that needs no database, one templated page."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.shortcuts import render
from django.urls import path

PAGE = """<!doctype html><html lang="en"><head><title>{{ title }}</title></head><body><h1>{{ title|upper }}</h1>
<table>{% for item in items %}<tr class="{% cycle 'odd' 'even' %}"><td>{{ item.id }}</td><td>{{ item.name }}</td></tr>
{% endfor %}</table></body></html>"""

settings.configure(
    DEBUG=False,
    SECRET_KEY="only-for-benchmarks",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {"page.html": PAGE})]},
        }
    ],
    LOGGING_CONFIG=None,
)


def products(request):
    items = [{"id": number, "name": f"Product {number}"} for number in range(1, 21)]
    return render(request, "page.html", {"title": "Products", "items": items})


urlpatterns = [path("products/", products)]

app = get_wsgi_application()
