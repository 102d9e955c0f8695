"""
URL configuration for mysite project.
"""

from django.contrib import admin
from django.urls import path
from guestbook.views import index

urlpatterns = [
    path("", index, name="index"),
    path("admin/", admin.site.urls),
]
