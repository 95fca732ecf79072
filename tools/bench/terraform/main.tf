# The same mount, roles and Vault policies as the stack's, for a comparison: `make bench`.
terraform {
  required_providers {
    vault = { source = "hashicorp/vault" }
  }
}

variable "mount" { type = string }
variable "endpoint" { type = string }
variable "access_key" {
  type      = string
  sensitive = true
}
variable "secret_key" {
  type      = string
  sensitive = true
}

locals {
  written = jsondecode(file("${path.module}/written.json"))
}

provider "vault" {}

resource "vault_aws_secret_backend" "this" {
  path                      = var.mount
  region                    = "us-west-2"
  access_key                = var.access_key
  secret_key                = var.secret_key
  iam_endpoint              = var.endpoint
  sts_endpoint              = var.endpoint
  default_lease_ttl_seconds = 3600
  max_lease_ttl_seconds     = 14400
}

resource "vault_aws_secret_backend_role" "this" {
  for_each                 = local.written.roles
  backend                  = vault_aws_secret_backend.this.path
  name                     = each.key
  credential_type          = each.value.credential_type
  policy_document          = each.value.policy_document
  permissions_boundary_arn = each.value.permissions_boundary_arn
  iam_tags                 = each.value.iam_tags
  user_path                = each.value.user_path
}

resource "vault_policy" "this" {
  for_each = local.written.policies
  name     = each.key
  policy   = each.value
}
