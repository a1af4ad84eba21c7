"""What Django has to know of the app; connects the nudge to the broker and loads the system checks."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"
    label = "reports"
    verbose_name = "Outcry"

    def ready(self) -> None:
        from reports import checks  # noqa: F401  registering is the import's work
