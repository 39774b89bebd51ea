//! The addresses of the pages, named once for the templates that point to them and the router that serves them.

/// Sign-in form; POST signs in.
pub const LOGIN: &str = "/login";
/// The sign-in form with passwords, for those who keep it where other ways in are the rule; POST signs in.
pub const LOGIN_INTERNAL: &str = "/login/internal";
/// The sign-in form with all ways in, also where one provider is the rule.
pub const LOGIN_WAYS: &str = "/login?choose=1";
/// The step of a sign-in that asks for a new password.
pub const LOGIN_STEP_PASSWORD: &str = "/login/step/password";
/// The step of a sign-in that asks for the second factor.
pub const LOGIN_STEP_FACTOR: &str = "/login/step/factor";
/// The step of a sign-in that binds a second factor.
pub const LOGIN_STEP_ENROL: &str = "/login/step/enrol";
/// Asks somebody signed in to prove anew who they are.
pub const LOGIN_CONFIRM: &str = "/login/confirm";
/// Second factors.
pub const ACCOUNT_SECURITY: &str = "/account/security";
/// Binds an authenticator app.
pub const ACCOUNT_SECURITY_TOTP: &str = "/account/security/totp";
/// Binds a security key or passkey.
pub const ACCOUNT_SECURITY_PASSKEY: &str = "/account/security/passkey";
/// POST signs in with a passkey alone.
pub const LOGIN_PASSKEY: &str = "/login/passkey";
/// POST binds a key in the middle of a sign-in.
pub const LOGIN_STEP_ENROL_PASSKEY: &str = "/login/step/enrol/passkey";
/// POST makes backup codes.
pub const ACCOUNT_SECURITY_BACKUP: &str = "/account/security/backup-codes";
/// POST renames the authenticator of the field `factor`.
pub const ACCOUNT_SECURITY_RENAME: &str = "/account/security/rename";
/// POST makes it the one that is asked for first.
pub const ACCOUNT_SECURITY_PREFER: &str = "/account/security/prefer";
/// POST removes it.
pub const ACCOUNT_SECURITY_REMOVE: &str = "/account/security/remove";
/// POST asks the device of the field `device` for the second factor again.
pub const ACCOUNT_SECURITY_DEVICE: &str = "/account/security/devices/forget";
/// Asks for the address to which the recovery link goes.
pub const LOST_PASSWORD: &str = "/login/lost-password";
/// Where the recovery link leads: a new password.
pub const RESET_PASSWORD: &str = "/login/reset-password";
/// Confirmation before signing out; POST signs out.
pub const LOGOUT: &str = "/logout";
/// Says why somebody signed in does not get into an application.
pub const FORBIDDEN: &str = "/forbidden";
/// Says that the session has ended.
pub const SIGNED_OUT: &str = "/logout/done";
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
/// Name, picture, language, time zone, contrast.
pub const ACCOUNT_PROFILE: &str = "/account/profile";
/// The own picture; POST sets it.
pub const ACCOUNT_AVATAR: &str = "/account/avatar";
/// POST removes the own picture.
pub const ACCOUNT_AVATAR_REMOVE: &str = "/account/avatar/remove";
/// Before the key of somebody's picture.
pub const AVATAR: &str = "/avatar/";
/// Change of the e-mail address.
pub const ACCOUNT_EMAIL: &str = "/account/email";
/// Where the link in the confirmation mail leads; POST confirms.
pub const ACCOUNT_EMAIL_CONFIRM: &str = "/account/email/confirm";
/// Change of the password.
pub const ACCOUNT_PASSWORD: &str = "/account/password";
/// Identities at providers and directories.
pub const ACCOUNT_IDENTITIES: &str = "/account/identities";
/// Asks whether an identity shall be added; POST adds it.
pub const ACCOUNT_IDENTITIES_ADD: &str = "/account/identities/add";
/// POST removes one identity, named by the field `identity`.
pub const ACCOUNT_IDENTITIES_REMOVE: &str = "/account/identities/remove";
/// Sessions and remembered devices.
pub const ACCOUNT_SESSIONS: &str = "/account/sessions";
/// POST ends one session, named by the field `session`.
pub const ACCOUNT_SESSIONS_END: &str = "/account/sessions/end";
/// POST ends every session but the current one and forgets every other remembered device.
pub const ACCOUNT_SESSIONS_END_OTHERS: &str = "/account/sessions/end-others";
/// POST forgets one remembered device, named by the field `device`.
pub const ACCOUNT_DEVICES_FORGET: &str = "/account/devices/forget";
