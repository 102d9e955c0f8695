from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from .models import Entry


class EntryForm(forms.ModelForm):
    class Meta:
        model = Entry
        fields = ["name", "message"]


def index(request: HttpRequest) -> HttpResponse:
    """The newest entries, and a form for another one."""
    form = EntryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("index")
    status = 400 if form.errors else 200
    return render(request, "guestbook/index.html", {"entries": Entry.objects.all()[:50], "form": form}, status=status)
