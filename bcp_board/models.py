"""What the site itself remembers: tries to sign in."""

from django.db import models


class SignInTry(models.Model):
    """A try to sign in. The account is kept as a hash, because people type passwords in the wrong box."""

    account = models.CharField(max_length=64)
    address = models.CharField(max_length=45)
    at = models.DateTimeField()
    succeeded = models.BooleanField(default=False)

    class Meta:
        verbose_name = "try to sign in"
        verbose_name_plural = "tries to sign in"
        indexes = [
            models.Index(fields=["account", "at"], name="sign_in_by_account"),
            models.Index(fields=["address", "at"], name="sign_in_by_address"),
        ]

    def __str__(self):
        return f"{self.address}, {self.at:%Y-%m-%d %H:%M}"
