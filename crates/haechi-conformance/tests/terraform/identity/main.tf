# Users, roles, policies and KMS keys. `changed` is the second version of the configuration.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {}

provider "aws" {
  alias  = "elsewhere"
  region = "eu-west-1"
}

variable "changed" {
  type    = bool
  default = false
}

locals {
  tags = var.changed ? { Team = "b", New = "c" } : { Team = "a" }
}

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}
data "aws_iam_policy_document" "read" {
  statement {
    sid       = "Read"
    actions   = ["kms:Decrypt", "ssm:GetParameter"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalTag/team"
      values   = var.changed ? ["a", "c"] : ["a", "b"]
    }
  }
}
resource "aws_iam_user" "u" {
  name          = var.changed ? "terra2" : "terra"
  path          = var.changed ? "/other/" : "/app/"
  force_destroy = true
  # The provider tags by the new name before it renames, which AWS refuses too.
  tags = { Team = "a" }
}
resource "aws_iam_access_key" "u" { user = aws_iam_user.u.name }
resource "aws_iam_user_login_profile" "u" { user = aws_iam_user.u.name }
resource "aws_iam_user_policy" "u" {
  user   = aws_iam_user.u.name
  policy = data.aws_iam_policy_document.read.json
}
resource "aws_iam_policy" "p" {
  name        = "terra-read"
  path        = "/app/"
  description = "reads"
  policy      = data.aws_iam_policy_document.read.json
  tags        = local.tags
}
resource "aws_iam_group" "g" { name = "terra" }
resource "aws_iam_group_membership" "g" {
  name  = "m"
  group = aws_iam_group.g.name
  users = [aws_iam_user.u.name]
}
resource "aws_iam_group_policy_attachment" "g" {
  group      = aws_iam_group.g.name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}
resource "aws_iam_user_policy_attachment" "u" {
  user       = aws_iam_user.u.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_iam_role" "r" {
  name                 = "terra"
  path                 = "/app/"
  description          = var.changed ? "changed" : "role"
  max_session_duration = var.changed ? 3600 : 7200
  permissions_boundary = var.changed ? null : aws_iam_policy.p.arn
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  tags                 = local.tags
}
resource "aws_iam_role_policy" "r" {
  role   = aws_iam_role.r.name
  policy = data.aws_iam_policy_document.read.json
}
resource "aws_iam_role_policy_attachment" "r" {
  role       = aws_iam_role.r.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_iam_instance_profile" "r" {
  name = "terra"
  role = aws_iam_role.r.name
  tags = local.tags
}
resource "aws_iam_account_password_policy" "p" {
  minimum_password_length      = var.changed ? 16 : 14
  require_lowercase_characters = true
  require_numbers              = true
  require_symbols              = true
  require_uppercase_characters = true
  max_password_age             = 90
  password_reuse_prevention    = 5
}
resource "aws_iam_account_alias" "a" { account_alias = "terra-alias" }
resource "aws_iam_openid_connect_provider" "o" {
  url             = "https://token.actions.githubusercontent.com"
  client_id_list  = var.changed ? ["sts.amazonaws.com", "other"] : ["sts.amazonaws.com"]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}
resource "aws_iam_service_linked_role" "s" {
  aws_service_name = "autoscaling.amazonaws.com"
  custom_suffix    = "x"
  description      = var.changed ? "two" : "one"
  tags             = local.tags
}
data "aws_iam_policy_document" "key" {
  statement {
    sid       = "Enable"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.me.account_id}:root"]
    }
  }
}
resource "aws_kms_key" "k" {
  description             = var.changed ? "changed" : "terra"
  is_enabled              = !var.changed
  deletion_window_in_days = 7
  enable_key_rotation     = true
  rotation_period_in_days = var.changed ? 365 : 180
  policy                  = data.aws_iam_policy_document.key.json
  tags                    = local.tags
}
resource "aws_kms_alias" "k" {
  name          = "alias/terra"
  target_key_id = aws_kms_key.k.key_id
}
resource "aws_kms_grant" "k" {
  name              = "terra"
  key_id            = aws_kms_key.k.key_id
  grantee_principal = aws_iam_role.r.arn
  operations        = ["Encrypt", "Decrypt", "GenerateDataKey"]
  constraints { encryption_context_equals = { Department = "Finance" } }
}
resource "aws_kms_key" "mr" {
  multi_region            = true
  deletion_window_in_days = 7
}
resource "aws_kms_key" "rsa" {
  customer_master_key_spec = "RSA_2048"
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = 7
}
resource "aws_kms_replica_key" "mr" {
  provider                = aws.elsewhere
  primary_key_arn         = aws_kms_key.mr.arn
  deletion_window_in_days = 7
}
resource "aws_kms_key" "hmac" {
  customer_master_key_spec = "HMAC_256"
  key_usage                = "GENERATE_VERIFY_MAC"
  deletion_window_in_days  = 7
}
resource "aws_kms_ciphertext" "c" {
  key_id    = aws_kms_key.mr.key_id
  plaintext = "hello"
  context   = { a = "b" }
}
resource "aws_kms_external_key" "e" {
  description             = "ext"
  deletion_window_in_days = 7
  key_material_base64     = "Wblj06fduthWggmsT0cLVoIMOkeLbc2kVfMud77i/JY="
}
resource "aws_kms_key_policy" "rsa" {
  key_id = aws_kms_key.rsa.id
  policy = data.aws_iam_policy_document.key.json
}
resource "aws_iam_user" "one" { name = "one" }
resource "aws_iam_virtual_mfa_device" "m" { virtual_mfa_device_name = "dev" }
resource "aws_iam_user_group_membership" "one" {
  user   = aws_iam_user.one.name
  groups = [aws_iam_group.a.name, aws_iam_group.b.name]
}
resource "aws_iam_group" "a" { name = "ga" }
resource "aws_iam_group" "b" { name = "gb" }
resource "aws_iam_group_policy" "a" {
  group  = aws_iam_group.a.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "kms:*", Resource = "*" }] })
}
resource "aws_iam_role" "inline" {
  name               = "inline"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = aws_iam_user.one.arn } }] })
  inline_policy {
    name   = "x"
    policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "kms:*", Resource = "*" }] })
  }
  managed_policy_arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
}
data "aws_iam_policy" "ro" { name = "ReadOnlyAccess" }
data "aws_iam_role" "r" {
  name       = "inline"
  depends_on = [aws_iam_role.inline]
}
data "aws_iam_users" "all" { depends_on = [aws_iam_user.one] }
data "aws_kms_alias" "ssm" { name = "alias/aws/ssm" }
data "aws_iam_principal_policy_simulation" "s" {
  action_names      = ["kms:Decrypt"]
  policy_source_arn = aws_iam_role.inline.arn
}
data "aws_iam_session_context" "s" { arn = aws_iam_role.inline.arn }
