//! The addresses of the pages, named once for the templates that point to them and the router that serves them.

/// Sign-in form; POST signs in.
pub const LOGIN: &str = "/login";
/// The sign-in form with passwords, for those who keep it where other ways in are the rule; POST signs in.
pub const LOGIN_INTERNAL: &str = "/login/internal";
/// The step of a sign-in that asks for a new password.
pub const LOGIN_STEP_PASSWORD: &str = "/login/step/password";
/// Asks for the address to which the recovery link goes.
pub const LOST_PASSWORD: &str = "/login/lost-password";
/// Where the recovery link leads: a new password.
pub const RESET_PASSWORD: &str = "/login/reset-password";
/// Confirmation before signing out; POST signs out.
pub const LOGOUT: &str = "/logout";
/// Says that the session has ended.
pub const SIGNED_OUT: &str = "/logout/done";
/// The same, where the identity provider did not sign out everywhere.
pub const SIGNED_OUT_HERE: &str = "/logout/done?provider=open";
/// Where the link printed at the first start leads.
pub const SETUP: &str = "/setup";
/// Where the link in an invitation leads.
pub const INVITATION: &str = "/invitation";
/// Asks for the address of somebody who wants an account.
pub const REGISTER: &str = "/register";
/// Where the link in the letter about it leads: names and a password.
pub const REGISTER_CONFIRM: &str = "/register/confirm";
/// Overview of the own account.
pub const ACCOUNT: &str = "/account";
/// Name, language, time zone.
pub const ACCOUNT_PROFILE: &str = "/account/profile";
/// Change of the e-mail address.
pub const ACCOUNT_EMAIL: &str = "/account/email";
/// Where the link in the confirmation mail leads; POST confirms.
pub const ACCOUNT_EMAIL_CONFIRM: &str = "/account/email/confirm";
/// Change of the password.
pub const ACCOUNT_PASSWORD: &str = "/account/password";
/// Sessions and remembered devices.
pub const ACCOUNT_SESSIONS: &str = "/account/sessions";
/// POST ends one session, named by the field `session`.
pub const ACCOUNT_SESSIONS_END: &str = "/account/sessions/end";
/// POST ends every session but the current one and forgets every other remembered device.
pub const ACCOUNT_SESSIONS_END_OTHERS: &str = "/account/sessions/end-others";
/// POST forgets one remembered device, named by the field `device`.
pub const ACCOUNT_DEVICES_FORGET: &str = "/account/devices/forget";
