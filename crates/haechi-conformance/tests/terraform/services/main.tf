# What is built on keys and roles. `changed` is the second version of the configuration.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {}

variable "changed" {
  type    = bool
  default = false
}

locals {
  tags = var.changed ? { Team = "b", New = "c" } : { Team = "a" }
}

resource "aws_ssm_parameter" "s" {
  name        = "/app/plain"
  type        = "String"
  value       = var.changed ? "two" : "one"
  description = "d"
  tags        = local.tags
}
resource "aws_ssm_parameter" "sec" {
  name   = "/app/secret"
  type   = "SecureString"
  value  = var.changed ? "other" : "hidden"
  key_id = aws_kms_key.k.arn
}
resource "aws_ssm_parameter" "list" {
  name            = "/app/list"
  type            = "StringList"
  value           = "a,b"
  tier            = "Advanced"
  allowed_pattern = "^[a-z,]+$"
}
resource "aws_kms_key" "k" {
  deletion_window_in_days = 7
}
resource "aws_secretsmanager_secret" "s" {
  name                    = "app/db"
  description             = "d"
  recovery_window_in_days = 0
  kms_key_id              = aws_kms_key.k.arn
  tags                    = local.tags
}
resource "aws_secretsmanager_secret_version" "s" {
  secret_id     = aws_secretsmanager_secret.s.id
  secret_string = jsonencode({ user = "u", password = var.changed ? "q" : "p" })
}
resource "aws_secretsmanager_secret_policy" "s" {
  secret_arn = aws_secretsmanager_secret.s.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.r.arn }
      Action    = "secretsmanager:GetSecretValue"
      Resource  = "*"
    }]
  })
}
resource "aws_iam_role" "r" {
  name = "app-fn"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["lambda.amazonaws.com", "scheduler.amazonaws.com", "events.amazonaws.com"] }
      Action    = "sts:AssumeRole"
    }]
  })
}
resource "aws_iam_role_policy" "r" {
  role = aws_iam_role.r.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["sqs:*", "sns:*", "events:*", "lambda:*"], Resource = "*" }]
  })
}
resource "aws_sqs_queue" "dlq" { name = "app-dlq" }
resource "aws_sqs_queue" "q" {
  name                       = "app-q"
  visibility_timeout_seconds = var.changed ? 90 : 60
  message_retention_seconds  = 86400
  redrive_policy             = jsonencode({ maxReceiveCount = var.changed ? 4 : 3, deadLetterTargetArn = aws_sqs_queue.dlq.arn })
  tags                       = local.tags
}
resource "aws_sqs_queue_redrive_allow_policy" "dlq" {
  queue_url = aws_sqs_queue.dlq.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.q.arn]
  })
}
resource "aws_sqs_queue" "fifo" {
  name                        = "app.fifo"
  fifo_queue                  = true
  content_based_deduplication = true
  deduplication_scope         = "messageGroup"
  fifo_throughput_limit       = "perMessageGroupId"
  kms_master_key_id           = aws_kms_key.k.id
}
resource "aws_sqs_queue_policy" "q" {
  queue_url = aws_sqs_queue.q.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "topic"
      Effect    = "Allow"
      Principal = { Service = ["sns.amazonaws.com", "events.amazonaws.com"] }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.q.arn
    }]
  })
}

resource "aws_cloudwatch_event_bus" "b" { name = "app" }
resource "aws_cloudwatch_event_bus_policy" "b" {
  event_bus_name = aws_cloudwatch_event_bus.b.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "put"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::999988887777:root" }
      Action    = "events:PutEvents"
      Resource  = aws_cloudwatch_event_bus.b.arn
    }]
  })
}
resource "aws_cloudwatch_event_rule" "r" {
  name           = "app"
  description    = "d"
  event_bus_name = aws_cloudwatch_event_bus.b.name
  event_pattern  = jsonencode({ source = ["app"], detail = { kind = var.changed ? ["y"] : ["x"] } })
  tags           = local.tags
}
resource "aws_cloudwatch_event_rule" "s" {
  name                = "app-schedule"
  schedule_expression = "rate(5 minutes)"
  state               = "DISABLED"
}
resource "aws_cloudwatch_event_target" "q" {
  rule           = aws_cloudwatch_event_rule.r.name
  event_bus_name = aws_cloudwatch_event_bus.b.name
  target_id      = "q"
  arn            = aws_sqs_queue.q.arn
  input_transformer {
    input_paths    = { kind = "$.detail.kind" }
    input_template = "\"<kind>\""
  }
  dead_letter_config { arn = aws_sqs_queue.dlq.arn }
  retry_policy {
    maximum_event_age_in_seconds = 600
    maximum_retry_attempts       = 3
  }
}
resource "aws_cloudwatch_event_permission" "p" {
  principal    = "999988887777"
  statement_id = "other"
}
resource "aws_cloudwatch_event_connection" "c" {
  name               = "app"
  authorization_type = "API_KEY"
  auth_parameters {
    api_key {
      key   = "x-key"
      value = "v"
    }
  }
}
resource "aws_cloudwatch_event_api_destination" "d" {
  name                             = "app"
  invocation_endpoint              = "https://example.com/"
  http_method                      = "POST"
  invocation_rate_limit_per_second = var.changed ? 30 : 20
  connection_arn                   = aws_cloudwatch_event_connection.c.arn
}
resource "aws_scheduler_schedule_group" "g" { name = "app" }
resource "aws_scheduler_schedule" "s" {
  name                = "app"
  group_name          = aws_scheduler_schedule_group.g.name
  schedule_expression = var.changed ? "rate(2 hours)" : "rate(1 hours)"
  flexible_time_window { mode = "OFF" }
  target {
    arn      = aws_sqs_queue.q.arn
    role_arn = aws_iam_role.r.arn
    input    = jsonencode({ a = 1 })
  }
}
resource "aws_lambda_function" "f" {
  function_name    = "app"
  filename         = "function.zip"
  source_code_hash = filebase64sha256("function.zip")
  handler          = "index.handler"
  runtime          = "nodejs20.x"
  role             = aws_iam_role.r.arn
  timeout          = 10
  memory_size      = var.changed ? 512 : 256
  publish          = true
  environment { variables = { MODE = var.changed ? "c" : "b" } }
  dead_letter_config { target_arn = aws_sqs_queue.dlq.arn }
  reserved_concurrent_executions = 5
  tags                           = local.tags
  depends_on                     = [aws_iam_role_policy.r]
}
resource "aws_lambda_alias" "f" {
  name             = "live"
  function_name    = aws_lambda_function.f.function_name
  function_version = aws_lambda_function.f.version
}
resource "aws_lambda_permission" "f" {
  statement_id  = "events"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.s.arn
}
resource "aws_lambda_event_source_mapping" "f" {
  event_source_arn = aws_sqs_queue.dlq.arn
  function_name    = aws_lambda_function.f.arn
  batch_size       = var.changed ? 6 : 5
}
resource "aws_lambda_function_event_invoke_config" "f" {
  function_name                = aws_lambda_function.f.function_name
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = var.changed ? 1 : 0
  destination_config {
    on_failure { destination = aws_sqs_queue.dlq.arn }
  }
}
resource "aws_organizations_organization" "o" {
  aws_service_access_principals = ["cloudtrail.amazonaws.com"]
  enabled_policy_types          = ["SERVICE_CONTROL_POLICY"]
  feature_set                   = "ALL"
}
resource "aws_organizations_organizational_unit" "ou" {
  name      = "app"
  parent_id = aws_organizations_organization.o.roots[0].id
  tags      = local.tags
}
resource "aws_organizations_policy" "p" {
  name       = "deny"
  content    = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Action = var.changed ? "kms:DisableKey" : "kms:ScheduleKeyDeletion", Resource = "*" }] })
  depends_on = [aws_organizations_organization.o]
}
resource "aws_organizations_policy_attachment" "p" {
  policy_id = aws_organizations_policy.p.id
  target_id = aws_organizations_organizational_unit.ou.id
}
resource "aws_sns_topic" "t" {
  name              = "app"
  display_name      = var.changed ? "Other" : "App"
  kms_master_key_id = aws_kms_key.k.id
  tags              = local.tags
}
resource "aws_sns_topic" "fifo" {
  name                        = "app.fifo"
  fifo_topic                  = true
  content_based_deduplication = true
}
resource "aws_sns_topic_policy" "t" {
  arn = aws_sns_topic.t.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "events"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.t.arn
    }]
  })
}
resource "aws_sns_topic_subscription" "q" {
  topic_arn            = aws_sns_topic.t.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.q.arn
  raw_message_delivery = true
  filter_policy        = jsonencode({ kind = var.changed ? ["c"] : ["a"] })
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dlq.arn })
}
resource "aws_cloudtrail" "t" {
  name                          = "app"
  s3_bucket_name                = "app-trail"
  s3_key_prefix                 = "a"
  is_multi_region_trail         = !var.changed
  include_global_service_events = true
  enable_log_file_validation    = true
  enable_logging                = !var.changed
  event_selector {
    read_write_type           = var.changed ? "WriteOnly" : "All"
    include_management_events = true
  }
  tags = local.tags
}
resource "aws_sqs_queue" "managed" {
  name                    = "enc"
  sqs_managed_sse_enabled = true
}
resource "aws_secretsmanager_secret" "r" {
  name                    = "replicated"
  recovery_window_in_days = 0
  replica { region = "eu-west-1" }
}
data "aws_secretsmanager_random_password" "p" { password_length = 20 }
