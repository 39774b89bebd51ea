//! From the operator's words about gateways for codes to the services' terms.

use crate::config::Config;
use crate::config::second_factor::FactorMethod;
use crate::config::sms::{Gateway as Section, GatewayFormat, GatewayMethod};
use crate::connect::fetch::FetchSettings;
use crate::connect::gateway::{Gateway, GatewaySettings, Success};
use crate::domain::message_template::{Escape, MessageTemplate};
use crate::domain::phone::Channel;
use crate::domain::secret::Secret;
use crate::domain::throttle::Limit;
use crate::service::factor::phone::Gateways;
use crate::service::limiter::CodeLimits;
use http::{HeaderName, Method};
use std::time::Duration;

/// The gateways that there are.
///
/// # Errors
/// In words for the operator.
pub(super) fn gateways(config: &Config) -> Result<Gateways, String> {
    let made = |section: &Section, name: &str| {
        let wrong = |why: String| format!("{name}: {why}");
        section.is_set().then(|| Gateway::new(settings(section).map_err(wrong)?).map_err(wrong)).transpose()
    };
    Ok(Gateways { sms: made(&config.sms.gateway, "sms")?, voice: made(&config.sms.voice, "sms.voice")? })
}

/// The ways by which a number can be bound.
pub(super) fn channels(config: &Config) -> Vec<Channel> {
    let methods = &config.second_factor.methods;
    let offered = |channel: &Channel| match channel {
        Channel::Sms => methods.contains(&FactorMethod::Sms) && config.sms.gateway.is_set(),
        Channel::Voice => methods.contains(&FactorMethod::Voice) && config.sms.voice.is_set(),
    };
    Channel::ALL.into_iter().filter(offered).collect()
}

/// How many codes may be sent.
pub(super) fn limits(config: &Config) -> CodeLimits {
    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);
    let (sms, limit) = (&config.sms, |failures: u32, window: Duration| Limit { failures, window });
    CodeLimits {
        seat: limit(sms.per_attempt, HOUR),
        account: limit(sms.per_account_hour, HOUR),
        number: limit(sms.per_number_day, DAY),
        network: limit(sms.per_network_hour, HOUR),
        hour: limit(sms.per_hour, HOUR),
        day: limit(sms.per_day, DAY),
    }
}

fn settings(section: &Section) -> Result<GatewaySettings, String> {
    let unknown = |gap: String| format!("nothing fills {{{gap}}}");
    let template = |text: &str, escape| MessageTemplate::parse(text, escape).map_err(unknown);
    let headers = section.headers.iter().map(|line| {
        let (name, value) = line.split_once(':').ok_or("a header has no name")?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|error| error.to_string())?;
        Ok::<_, String>((name, template(value.trim(), Escape::Header)?))
    });
    let media_type = match section.format {
        GatewayFormat::Json => "application/json",
        GatewayFormat::Form => "application/x-www-form-urlencoded",
    };
    let body =
        section.body.as_ref().map(|body| Ok::<_, String>((template(body, section.format.escape())?, media_type)));
    let read = |file: &std::path::PathBuf| {
        std::fs::read(file).map_err(|error| format!("ca_file: {} cannot be read: {error}", file.display()))
    };
    Ok(GatewaySettings {
        url: template(section.url.as_deref().unwrap_or_default(), Escape::Form)?,
        method: match section.method {
            GatewayMethod::Post => Method::POST,
            GatewayMethod::Put => Method::PUT,
            GatewayMethod::Get => Method::GET,
        },
        headers: headers.collect::<Result<_, _>>()?,
        body: body.transpose()?,
        username: section.username.clone().unwrap_or_default(),
        secret: section.secret.clone().unwrap_or_else(|| Secret::new(String::new())),
        success: Success {
            status: section.success_status,
            field: section.success_field.clone().map(|pointer| (pointer, section.success_values.clone())),
        },
        fetch: FetchSettings {
            allow_private: section.allow_private_network,
            authorities: section.ca_file.as_ref().map(read).transpose()?,
            timeout: section.timeout.duration(),
        },
    })
}
