"""What the program starts from: a stack's settings and documents, all checked, and where it stands."""

import pulumi

from components.audit_device import enabled_devices
from documents.stack import StackDocuments, read_stack
from program.vault_pin import require_vault
from settings.audit import require_devices
from settings.faults import FaultsError
from settings.load import decode_config


def read_documents() -> StackDocuments:
    """The settings and documents of the stack that Pulumi runs; says what a person must see of them.

    Raises:
        pulumi.RunError: With every fault of the settings, of the documents that they name, and of the audit devices
            that others should have enabled, or that Vault is not the stack's. Nothing has been made then.
    """
    stack = pulumi.get_stack()
    try:
        config = decode_config(pulumi.runtime.config.CONFIG.get())
        documents = read_stack(config, stack)
        require_vault(documents, config)
        if documents.settings.audit.relies_on_others:
            require_devices(documents.settings.audit, enabled_devices(), f"Pulumi.{stack}.yaml")
    except FaultsError as faults:
        raise pulumi.RunError(f"nothing was changed; mend these first:\n{faults}") from None
    for warning in documents.warnings:
        pulumi.log.warn(warning)
    return documents
