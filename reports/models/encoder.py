"""Encoders learnt from this installation's own reports.

The weights are a copy of nothing: they are learnt anew from time to time, and an older one stays until no service's
clusters are in its space.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from reports.enums import EncoderState


class LearntEncoder(models.Model):
    """A student of a better encoder: its weights, and how well it agrees with its teacher on fresh reports."""

    name = models.CharField(max_length=80, unique=True)
    teacher = models.CharField(max_length=80)
    weights = models.BinaryField()
    n_texts = models.PositiveIntegerField()
    agreement = models.FloatField()
    state = models.CharField(max_length=8, choices=EncoderState)
    fitted_at = models.DateTimeField()
    measured_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state=EncoderState.ACTIVE), name="one_learnt_encoder_is_active"
            ),
        ]

    def __str__(self) -> str:
        return self.name
