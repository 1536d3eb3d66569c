"""Settings of the stack: the environment of its functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import Field

from amazon_to_xero.runtime.settings.base import Settings, SettingsError, Text, parse


class StackSettings(Settings):
    """The environment of a function, as template.yaml sets it."""

    stack: Text = Field(alias="STACK_NAME", description="Name of the stack, which its metrics carry.")
    table: Text = Field(alias="TABLE_NAME", description="Name of the DynamoDB table.")
    connections_path: Text = Field(alias="SETTINGS_PATH", description="Path of the connections' SSM parameters.")
    secrets_prefix: Text = Field(alias="SECRETS_PREFIX", description="First part of the names of connections' secrets.")
    dead_letter_queues: dict[str, Text] = Field(
        default_factory=dict, description="Environment variable → URL of a capability's dead-letter queue."
    )
    token_key: Text = Field(alias="TOKEN_KEY_ARN", description="ARN of the KMS key that encrypts Xero's tokens.")
    event_bus: Text = Field(alias="EVENT_BUS_NAME", description="Name of the stack's own event bus.")
    alarm_topic: str = Field(
        default="",
        alias="ALARM_TOPIC_ARN",
        description="ARN of the topic of the stack's alarms; empty where it has none.",
    )
    inventory_topic: Text = Field(
        alias="INVENTORY_TOPIC_ARN", description="ARN of the topic of the stack's inventory alerts."
    )
    report_bucket: str = Field(
        default="",
        alias="REPORT_BUCKET_NAME",
        description="Name of the bucket of stock reports, for the function that makes them.",
    )
    region: Text = Field(alias="AWS_REGION", description="AWS region of the stack, e.g. `eu-west-1`.")
    aws_endpoint: str | None = Field(
        default=None, alias="AWS_ENDPOINT_URL", description="URL that replaces AWS, for the local cloud."
    )
    amazon_api_url: str = Field(
        default="", alias="AMAZON_API_URL", description="URL that replaces Amazon's API, for the sandbox."
    )
    lwa_url: str = Field(
        default="", alias="LWA_URL", description="URL that replaces Amazon's token endpoint, for the sandbox."
    )
    xero_api_url: Text = Field(alias="XERO_API_URL", description="URL of Xero's API: `https://api.xero.com`.")
    xero_token_url: Text = Field(
        alias="XERO_TOKEN_URL", description="URL of Xero's token endpoint: `https://identity.xero.com/connect/token`."
    )


def stack_settings(environment: Mapping[str, str], queues: Iterable[str]) -> StackSettings:
    """Return the stack's settings from a function's environment. Raises SettingsError that names each missing variable.

    `queues` are the variables that hold the URLs of dead-letter queues.
    """
    name = "the function's environment"
    urls = {queue: environment.get(queue, "") for queue in queues}
    missing = ", ".join(queue for queue, url in urls.items() if not url)
    if missing:
        raise SettingsError(f"{name} cannot be used. {missing}: Field required. Deploy the stack again.")
    return parse(StackSettings, dict(environment), name).model_copy(update={"dead_letter_queues": urls})
