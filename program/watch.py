"""What watches: the audit devices of Vault, and the alarm on what Vault's IAM users do in AWS."""

from collections.abc import Mapping

from components.alarm import Alarm
from components.audit_device import AuditDevice
from documents.alarm import rule_name
from documents.stack import StackDocuments
from settings.model import Settings


def declare_audit_devices(settings: Settings) -> list[AuditDevice]:
    """Declares the audit devices that the stack itself enables."""
    return [
        AuditDevice(path, {"path": path, "type": kind.type, "options": kind.options(), "description": kind.description})
        for path, kind in settings.audit.devices.items()
        if kind.managed
    ]


def declare_alarms(documents: StackDocuments, place: Mapping[str, str]) -> Mapping[str, Alarm]:
    """Declares the alarm, if the settings name a topic, in each region in which it must listen; by region."""
    settings = documents.settings
    topic = settings.alarm.topic_name
    if not topic:
        return {}
    watched = {
        rule_name(topic, engine, purpose): pattern
        for engine in settings.engines
        for purpose, pattern in documents.alarm_patterns(engine, **place).items()
    }
    return {
        region: Alarm(
            region,
            {
                "topic_name": topic,
                "patterns": watched,
                # The provider's own region goes without saying.
                "region": None if region == settings.region else region,
                "read_only_calls": settings.alarm.read_only_calls,
            },
        )
        for region in settings.alarm.rule_regions(settings.region)
    }
