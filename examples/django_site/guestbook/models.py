from django.db import models


class Entry(models.Model):
    """What a visitor left."""

    name = models.CharField(max_length=80)
    message = models.TextField(max_length=1000)
    written = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-written", "-id"]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.name}: {self.message[:40]}"
