"""Who may read which role's credentials: the auth methods that the stack makes, and the bindings."""

from collections.abc import Mapping, Sequence
from typing import cast

import pulumi

from components.access import WAYS, AppRoleAccess, GroupAccess, JwtAccess, KubernetesAccess
from components.auth_method import AuthMethod, AuthMethodArgs
from program.foundation import declared_access
from settings.model import Settings

Access = AppRoleAccess | JwtAccess | KubernetesAccess | GroupAccess
"""The component of a binding, whichever way it is made."""


def declare_access(settings: Settings, after: Sequence[pulumi.Resource]) -> Mapping[str, Access]:
    """Declares the auth methods and the bindings of a stack.

    Args:
        settings: The stack's settings.
        after: The Vault policies that the bindings give; they stand first.

    Returns:
        The bindings, by name.
    """
    methods = {
        # Which fields a method has is its type's matter; the settings have checked them.
        path: AuthMethod(path, cast("AuthMethodArgs", {"path": path, **method.vault_fields()}))
        for path, method in settings.auth_methods.items()
    }
    access = {}
    for name, binding in declared_access(settings.access).items():
        mount = methods[binding.mount].path if binding.mount in methods else binding.mount
        who = {"mount": mount, "policies": settings.policies_of(binding), **binding.vault_fields()}
        access[name] = WAYS[binding.method](name, who, pulumi.ResourceOptions(depends_on=list(after)))
    return access
