# The words of Vestibule in English. Plain and short; "you" for the reader; "sign in", never "log in".
# A key opens a line; a text of several paragraphs is indented below it.

## Around every page
title-error = Error:
form-has-errors = Please check the marked fields.
mail-missing = No mail after a few minutes? Please look in the spam folder too.
back-to-login = Back to sign-in
link-invalid-title = This link no longer works
sign-out = Sign out

## Signing in
login-title = Sign in
login-username = Username or e-mail address
login-password = Password
login-stay = { $days ->
    [one] Stay signed in on this device for one day
   *[other] Stay signed in on this device for { $days } days
}
login-asked = Sign in to your account as you have until now. Then you are asked whether the sign-in that you have just come from shall open it as well.
login-no-passwords = Passwords are not used for signing in here.
login-submit = Sign in
login-lost-password = Forgotten your password?
sign-in-wrong-credentials = That did not work. Please check username and password. After several failed tries signing in is paused for a while.
sign-in-too-many-attempts = { $minutes ->
    [one] Too many failed attempts. Please try again in a minute.
   *[other] Too many failed attempts. Please try again in { $minutes } minutes.
}
sign-in-locked = This account is locked. Please contact an administrator.
sign-in-waiting = Your registration is waiting for an administrator. You get a letter when you can sign in.
sign-in-attempt-expired = That took a little too long. Please sign in again.
sign-in-busy = Many people are signing in right now. Please try again in a few seconds.
sign-in-directory-away = Your password cannot be checked at the moment, because a directory of your organisation does not answer. Check what you entered and try again in a minute.
sign-in-directory-password = Your organisation wants you to change your password first. Change it where you manage it, for example at your computer, then sign in here.
sign-in-directory-shut = Your organisation does not let you sign in with this account at the moment. Please contact an administrator.
sign-in-no-account = Your password is right, but there is no account for you here. Please contact an administrator.
sign-in-conflict = Your organisation knows you, but another account here has your username or your e-mail address, so you were not signed in. If that account is yours, sign in to it as you have until now, or ask an administrator to link the two.
sign-in-link-first = Your password is right, and there is an account here with your e-mail address. If it is yours, sign in to it now as you have until now; then you are asked whether the two belong together. If you say yes, only the password that you have just used counts from then on.

## New passwords
new-password-label = New password
new-password-repeat = Repeat the new password
current-password = Current password
password-rule-shortest = { $count ->
    [one] At least one character
   *[other] At least { $count } characters; several words work well
}
password-rule-contains = Contains { $class }
password-rule-hard-to-guess = Hard to guess: no common password and no simple pattern
password-rule-not-personal = Without your name, username or e‑mail address
password-rule-not-reused = { $count ->
    [one] Not your previous password
   *[other] None of your last { $count } passwords
}
password-too-short = { $count ->
    [one] The password needs at least one character.
   *[other] The password needs at least { $count } characters.
}
password-too-long = { $count ->
    [one] The password may have one character at most.
   *[other] The password may have { $count } characters at most.
}
password-lacks = The password needs { $class }.
password-class-lowercase = a lower-case letter
password-class-uppercase = a capital letter
password-class-digit = a digit
password-class-special = a character that is neither letter nor digit
password-common = This password is on the list of common passwords, which attackers try first.
password-weak = This password is easy to guess. Make it longer or less regular.
password-personal = The password must not contain your name, username or e-mail address.
password-reused = You have used this password before. Please choose another one.
password-unusable = The password contains characters that cannot be typed, such as line breaks.
password-mismatch = The two passwords differ.
change-password-title = Choose a new password
change-password-expired = Your password has expired. Choose a new one to continue.
change-password-demanded = An administrator has asked you to choose a new password. After that you can continue.
change-password-submit = Save and continue

## Lost passwords
lost-password-title = Forgotten your password?
lost-password-text = Enter your username or e-mail address. We will send you a link for choosing a new password.
lost-password-submit = Send the link
lost-password-sent-title = Check your mailbox
lost-password-sent-text = { $minutes ->
    [one] If we know this account, a mail with a link is on its way. The link works for one minute.
   *[other] If we know this account, a mail with a link is on its way. The link works for { $minutes } minutes.
}
reset-password-title = Choose a new password
reset-password-text = After that you can sign in with it. You will be signed out everywhere else.
reset-password-submit = Save the new password
reset-link-invalid-text = It has been used already, or it is too old. You can have a new one sent to you.
reset-link-again = Send a new link

## Signing out
logout-title = Sign out?
logout-text = Signed in as { $name }
logout-stay = Stay signed in
signed-out-title = You are signed out
signed-out-text = You can close this window now.
signed-out-again = Sign in again
signed-out-there = You are signed out here and at { $provider }. You can close this window now.
signed-out-stays = You are signed out here, but not at { $provider }. If others use this device, please sign out there too.
signed-out-partly = You are signed out here. { $provider } reports that you are still signed in elsewhere; please close the browser to be safe.
signed-out-unsure = You are signed out here. Whether you are signed out at { $provider } as well, we cannot say; please look there.
signed-out-onward = You are signed out here. Now { $provider } signs you out as well.
signed-out-onward-go = Continue to { $provider }
going-title = On to { $provider }
going-text = With the next step you leave this page and go on at your identity provider.
going-go = Go on

## First start
setup-title = Welcome
setup-text = Set up the first administrator. Everyone else can be added later.
setup-email-hint = For notices and for replacing a forgotten password.
setup-submit = Create administrator
setup-link-invalid-text = It has been used already, or it is too old.
setup-link-invalid-help = As long as there is no administrator, each start of the service prints a new link.

## Invitation
invitation-title = Welcome
invitation-text = An account was made for you. Choose a password, then you can sign in.
invitation-signed-in = You are signed in as { $name }. This invitation is for a new account; whoever accepts it is signed out here.
invitation-ends = The account is there until { $when }.
invitation-username = You sign in as { $username }.
invitation-submit = Accept the invitation
invitation-link-invalid-text = It has been used already, or it is too old. If it was too old, a new one is on its way to the address that this one was sent to.
invitation-link-invalid-help = If no mail comes, ask whoever invited you.

## Registration
register-title = Create an account
register-text = Tell us your e-mail address. We send you a link to go on with.
register-submit = Send the link
register-sent-title = Look into your mail
register-sent-text = { $hours ->
    [one] We have sent a mail to this address. Its link works for one hour.
   *[other] We have sent a mail to this address. Its link works for { $hours } hours.
}
register-link-invalid-text = It has been used already, or it is too old. You can have a new one sent to you.
register-link-again = Send a new link
register-account-text = Choose how you want to sign in.
register-account-submit = Create account
register-at-once-email-hint = We send a mail there. Letters and a lost password work once you have followed its link.
login-register = Create an account

## Account
account-skip = Skip to content
account-nav = Your account
overview-title = Overview
overview-greeting = Hello, { $name }
overview-text = This is your account: who you are here, and where you are signed in.
overview-to-profile = Edit profile
overview-to-password = Change password
overview-to-sessions = Show sessions
overview-password-changed = Last changed
overview-password-none = No password
overview-signed-in = Signed in here
overview-ends = Your account ends
overview-sessions = Open sessions
overview-session-count = { $count ->
    [one] Only this one
   *[other] { $count }, this one included
}
username-label = Username
username-hint = You sign in with it.
name-label = Name
name-hint = As others should see it.
email-label = E-mail address
email-none = None yet
email-none-hint = An address counts once you have opened the link in our letter to it.
email-none-send = Have a link sent
profile-title = Profile
profile-sign-in-data = Signing in
profile-change-email = Change e-mail address
profile-from-directory = From “{ $directory }”
profile-from-directory-text = Your organisation keeps this. It is brought up to date when you sign in, and cannot be changed here.
profile-about-you = About you
profile-language = Language
profile-language-browser = As my browser asks
profile-time-zone = Time zone
profile-time-zone-hint = Such as Europe/Berlin. Left empty, times are shown in UTC.
profile-contrast = Contrast
profile-contrast-system = As my device asks
profile-contrast-more = Strong
profile-submit = Save
profile-picture = Picture
profile-picture-hint = JPEG, PNG or WebP, up to 8 MB. We cut out the middle square and keep nothing else of the file, such as where it was taken.
profile-picture-file = Picture from this device
profile-picture-submit = Use this picture
profile-picture-remove = Remove picture
profile-picture-yours = Your picture

email-title = Change e-mail address
email-text = We send a link to the new address. Nothing changes until you have opened that link.
email-current = Current address
email-new = New address
email-submit = Send the link
email-sent-title = Check your mailbox
email-sent-text = { $hours ->
    [one] We have sent a link to { $address }. Please open it within an hour; until then nothing changes.
   *[other] We have sent a link to { $address }. Please open it within { $hours } hours; until then nothing changes.
}
email-confirm-title = Confirm e-mail address
email-confirm-text = From now on { $address } will be the address of your account.
email-confirm-submit = Confirm address
email-link-invalid-text = It has been used already, or it is too old. Your address has not been changed.
email-link-again = Change e-mail address again

password-title = Password
password-text = When you change your password, all your other sessions end and remembered devices have to sign in again.
password-submit = Change password
password-kept-elsewhere-page = Change the password there
password-kept-elsewhere = Your password is kept in “{ $directory }”. Change it there, for example at your computer or on the page that your organisation has for it; it counts here at once.

sessions-title = Sessions
sessions-text = These are the places where you are signed in. If you do not recognise one, end it and change your password.
sessions-current = This session
sessions-last-seen = Last used
sessions-started = Started
sessions-way = Signed in with
sessions-network = Network
sessions-end = End session
sessions-end-others-text = Lost a device, or in doubt? This leaves only the session you are using now.
sessions-end-others = End all others
devices-title = Remembered devices
devices-text = These devices sign in by themselves.
devices-current = This device
devices-last-used = Last signed in
devices-remembered = Remembered since
devices-until = Remembered until
devices-forget = Forget device
way-password = Password
way-remembered-device = Remembered device

## What is wrong with a field
field-missing = Please fill in this field.
field-too-long = { $count ->
    [one] One character at most, please.
   *[other] { $count } characters at most, please.
}
field-invalid-username = This cannot be a username. Letters of one alphabet, digits, spaces and _ - @ . + are possible.
field-username-taken = This username is taken.
field-address-as-username = Please choose a username without an @ sign.
field-email-taken = Another account has this address.
field-invalid-name = The name contains characters that cannot be part of a name.
field-invalid-email = This is not an e-mail address.
field-foreign-domain = Addresses of this domain cannot be registered here.
field-same-email = This is your address already.
field-unknown-time-zone = We do not know this time zone. Please choose one from the list.
field-wrong-password = This is not your current password.
field-picture-kind = This is neither a JPEG nor a PNG nor a WebP file.
field-picture-pixels = This picture has too many pixels. Please choose a smaller one.
field-picture-damaged = This file is damaged or incomplete.
field-picture-too-large = This file is larger than 8 MB. Please choose a smaller one.

## What was just done
notice-profile-saved = Your profile is saved.
notice-picture-saved = Your picture is saved.
notice-picture-removed = Your picture is removed.
notice-password-changed = Your password is changed. All other sessions have ended.
notice-password-reset = Your password is changed. You can sign in with it now.
notice-email-changed = Your e-mail address is changed.
notice-session-ended = The session has ended.
notice-other-sessions-ended = All other sessions have ended.
notice-device-forgotten = The device has to sign in again next time.
notice-invitation-accepted = Your account is ready. You can sign in now.
notice-registered-at-once = Your account is ready. Sign in with your username, then follow the link in the mail we sent you.
notice-registration-waits = Thank you. An administrator looks at your account and you get a mail.
notice-setup-done = The administrator is set up. You can sign in now.

## Pages for people who are signed in and may not go on
forbidden-title = Not for this account
forbidden-application = You were on your way to { $application }.
forbidden-person = You are signed in as { $name }.
forbidden-group = Your account is in none of the groups that may open this page. Please ask your administrators if you need it.
forbidden-network = This page can only be opened from certain networks, such as the office or the VPN.
forbidden-unknown-application = No application is known at this address.
forbidden-other = This page may not be opened like this.
forbidden-code = For your administrators:
forbidden-other-account = Sign out and use another account
forbidden-account = To your account
forbidden-again = Try again

## At the foot of every page
foot-privacy = Privacy
foot-privacy-contact = Questions about your data

## When something does not work
error-status = Error { $status }
error-home = Go to the start page
error-id-label = Error number
error-id-text = If it happens again, please give this number to your administrators:
error-bad-request-title = That did not work
error-bad-request-text = We could not understand the request. Please go back and try again.
error-foreign-target-title = This link leads somewhere else
error-foreign-target-text = After signing in it would lead to an address that no application here has, so we do not follow it. Please open the application itself, or go to the start page.
error-form-expired-title = Please try again
error-form-expired-text = The page was open for too long, or it was sent from somewhere else. Nothing has been changed. Please go back, reload the page and try again.
error-forbidden-title = No access
error-forbidden-text = Your account is not allowed to open this page.
error-not-found-title = Page not found
error-not-found-text = There is nothing at this address. It may be mistyped, or the page has moved.
error-too-slow-title = That took too long
error-too-slow-text = What you sent did not arrive in time; nothing has been changed. Please go back and try again, perhaps with a better connection.
error-too-large-title = Too much at once
error-too-large-text = More data was sent than we accept. Please go back and choose something smaller.
error-too-many-requests-title = Too many attempts
error-too-many-requests-text = Please wait a few minutes, then try again.
error-internal-title = Something went wrong
error-internal-text = The fault is ours, not yours. Please try again in a few minutes.
error-unavailable-title = Back in a moment
error-unavailable-text = The service cannot answer right now. Please try again in a few minutes.

## Mails
letter-greeting = Hello { $name },
letter-greeting-nameless = Hello,
letter-closing =
    This mail was sent by { $product }. Please do not reply to it.
letter-password-elsewhere-subject = { $product }: where your password is kept
letter-password-elsewhere-body =
    someone, probably you, asked for a new password for your account at { $product }. This account signs in with the password that “{ $directory }” keeps, so it cannot be changed here. Ask your organisation for a new one.

    If it was not you, you need not do anything. Your password stays as it is.
letter-password-elsewhere-body-with-page =
    someone, probably you, asked for a new password for your account at { $product }. This account signs in with the password that “{ $directory }” keeps, so it cannot be changed here. Choose a new one on this page of your organisation:

    { $link }

    If it was not you, you need not do anything. Your password stays as it is.
letter-password-recovery-subject = { $product }: choose a new password
letter-password-recovery-body = { $minutes ->
    [one]
        someone, probably you, asked for a new password for your account at { $product }. Open this link within one minute to choose one:

        { $link }

        If it was not you, you need not do anything. Your password stays as it is.
   *[other]
        someone, probably you, asked for a new password for your account at { $product }. Open this link within { $minutes } minutes to choose one:

        { $link }

        If it was not you, you need not do anything. Your password stays as it is.
}
letter-invitation-subject = { $product }: your account is waiting for you
letter-invitation-body = { $days ->
    [one]
        an account at { $product } was made for you. Open this link within one day to choose a password:

        { $link }

        If you open it later, we send you a new link. If you do not know about this, please ignore this mail.
   *[other]
        an account at { $product } was made for you. Open this link within { $days } days to choose a password:

        { $link }

        If you open it later, we send you a new link. If you do not know about this, please ignore this mail.
}
letter-invitation-ends = The account is there until { $when }.
letter-registration-subject = { $product }: finish your registration
letter-registration-body = { $hours ->
    [one]
        someone, probably you, wants an account at { $product } with this address. Open this link within one hour to choose a name and a password:

        { $link }

        If it was not you, you need not do anything. Without the link there is no account.
   *[other]
        someone, probably you, wants an account at { $product } with this address. Open this link within { $hours } hours to choose a name and a password:

        { $link }

        If it was not you, you need not do anything. Without the link there is no account.
}
letter-already-registered-subject = { $product }: you have an account
letter-already-registered-body =
    someone, probably you, wanted to register at { $product } with this address. You have an account already, and can sign in here:

    { $link }

    If you have forgotten the password, that page sends you a link to a new one. If it was not you, you need not do anything.
letter-registration-waits-subject = { $product }: someone has registered
letter-registration-waits-body =
    { $username } has confirmed an e-mail address and waits to be let in at { $product }. Approve the account, or lock it, on the server.
letter-approved-subject = { $product }: you can sign in
letter-approved-body =
    your account at { $product } was approved. You can sign in now:

    { $link }
letter-confirm-email-subject = { $product }: confirm your e-mail address
letter-confirm-email-body = { $hours ->
    [one]
        { $address } shall become the address of an account at { $product }. Open this link within one hour to confirm it:

        { $link }

        If you do not know about this, please ignore this mail. Without the link nothing happens.
   *[other]
        { $address } shall become the address of an account at { $product }. Open this link within { $hours } hours to confirm it:

        { $link }

        If you do not know about this, please ignore this mail. Without the link nothing happens.
}
letter-email-changed-subject = { $product }: your e-mail address was changed
letter-email-changed-body =
    the address of your account at { $product } was changed to { $address }. From now on mails go there.

    If it was not you, please tell your administrators at once.
letter-password-changed-subject = { $product }: your password was changed
letter-password-changed-body =
    the password of your account at { $product } was changed ({ $when }).

    If it was not you, please tell your administrators at once.
letter-unlinked-subject = { $product }: your account is no longer linked
letter-unlinked-body =
    an administrator of { $product } took the link between your account and { $directory } away ({ $when }). Your password there does not sign you in here any more, and you were signed out everywhere.

    If you need the account, or do not know about this, please ask your administrators.
letter-new-device-subject = { $product }: new sign-in to your account
letter-new-device-body =
    someone signed in to your account at { $product } from a browser or network that we have not seen with it before ({ $when }):

    { $device }

    Network: { $network }

    If it was you, you need not do anything. If it was not you, please change your password at once, end all other sessions in your account, and tell your administrators.
letter-identity-added-subject = { $product }: a way to sign in was added
letter-identity-added-body =
    “{ $source }” was added to your account at { $product } on { $when }. Whoever can sign in there can sign in to your account from now on.

    If it was not you, remove it from your account under “Sign-in providers” at once, change your password, and tell an administrator.
letter-directory-added-body =
    “{ $source }” was added to your account at { $product } on { $when }. Whoever can sign in there can sign in to your account from now on.

    From now on only your password of “{ $source }” counts for your account. A password that you had at { $product } itself does not sign you in any more; it counts again if you remove “{ $source }” from your account under “Sign-in providers”.

    If it was not you, tell an administrator at once: your own password may no longer open the account.
letter-identity-removed-subject = { $product }: a way to sign in was removed
letter-identity-removed-body =
    “{ $source }” was removed from your account at { $product } on { $when }. It does not open your account any more.

    If it was not you, change your password at once and tell an administrator.
letter-factor-added-subject = { $product }: a second step was added
letter-factor-added-body =
    { $what } “{ $name }” was added to your account at { $product } on { $when }. It can be used as a second step from now on.

    If it was not you, change your password at once, remove it from your account, and tell an administrator.
letter-factor-removed-subject = { $product }: a second step was removed
letter-factor-removed-body =
    { $what } “{ $name }” was removed from your account at { $product } on { $when }.

    If it was not you, change your password at once and tell an administrator.
letter-backup-codes-made-subject = { $product }: new backup codes
letter-backup-codes-made-body =
    new backup codes for your account at { $product } were made on { $when }. The ones before do not work any more.

    If it was not you, change your password at once and tell an administrator.
letter-backup-code-used-subject = { $product }: a backup code was used
letter-backup-code-used-body =
    a backup code of your account at { $product } was used on { $when }. { $left ->
        [0] There are none left: make new ones.
        [one] One is left: make new ones soon.
       *[other] { $left } are left.
    }

    If it was not you, change your password at once and tell an administrator.
letter-factor-copied-subject = { $product }: a security key may have been copied
letter-factor-copied-body =
    the security key “{ $name }” of your account at { $product } answered on { $when } as if there were two of it. The answer was refused.

    Please remove this key from your account and tell an administrator.
letter-factors-reset-subject = { $product }: your second step was taken away
letter-factors-reset-body =
    an administrator removed all second steps and backup codes from your account at { $product } on { $when }. You were signed out everywhere, and can sign in with your password.

    If you did not ask for this, tell an administrator at once.
letter-autologin-theft-subject = { $product }: your sessions were ended
letter-autologin-theft-body =
    a stored sign-in of your account at { $product } was used twice ({ $when }). That happens when someone has copied it from this device:

    { $device }

    To be safe we have ended the sessions that came from it, and that device has to sign in again. Please change your password, and have the device checked for malware.

## Second factor
factor-title = One more step
factor-text-totp = Enter the code that your authenticator app shows now.
factor-text-phone = We send a code to your phone. Choose where to.
factor-text-backup = Enter one of your backup codes. Each works once.
factor-text-passkey = Use your security key or passkey.
factor-code = Code
factor-backup-code = Backup code
factor-keep = { $days ->
    [one] Do not ask on this device for one day
   *[other] Do not ask on this device for { $days } days
}
factor-submit = Continue
factor-others = Another way
factor-use-totp = Use an authenticator app
factor-use-phone = Have a code sent to your phone
factor-send-sms = Send a text message to { $number }
factor-send-voice = Call { $number }
factor-use-backup = Use a backup code
factor-use-passkey = Use a security key or passkey
factor-wrong-totp = This code is wrong or was used already. Wait for the next one and try again.
factor-wrong-phone = This code is wrong, was used or is too old. Enter the newest one, or have another one sent.
factor-wrong-backup = This code is wrong or was used already.
factor-wrong-passkey = That did not work. Please try again.
factor-wrong-name = A name needs 1 to 60 characters.
factor-name = Name
factor-name-hint = So that you recognise it later.
factor-kind-totp = Authenticator app
factor-kind-phone = Phone number
factor-kind-passkey = Security key or passkey
enrol-title = Protect your account
enrol-text = A second step is required here. Set it up now, then you can continue.
totp-title = Authenticator app
totp-text = An app on your phone shows a new code every half minute. You enter one after your password.
totp-name-default = Authenticator app
totp-scan-title = Scan this picture with the app
totp-scan-text = Any authenticator app will do. Add an account in it, then point the camera here.
totp-picture = QR code for the authenticator app
totp-open = Open in an app on this device
totp-key-text = Or type this key into the app. The account there is called { $account }.
totp-confirm-title = Enter the code it shows
totp-clock = It is { $time } here. If the clock of your phone says something else, its codes do not fit: let the phone set its time by itself.
totp-submit = Set up
phone-title = Phone number
phone-text = We send a code to your phone when you sign in.
phone-risk = Less safe than an app or a key: text messages and calls can be intercepted, and phone numbers can be taken over. Choose an app or a key if you can.
phone-number = Phone number
phone-number-hint = With the country code, such as +49 170 1234567.
phone-name-default = Phone
phone-send-sms = Send a text message
phone-send-voice = Call me
phone-sent-sms = A code is on its way to { $number } as a text message. It is good for 10 minutes.
phone-sent-voice = { $number } is being called. The code you hear is good for 10 minutes.
phone-submit = Confirm
phone-nothing-came = Nothing came?
phone-other-number = Use another number
phone-back-to-enrol = Choose another way
phone-abroad = We send no codes to numbers of this country.
phone-wrong-number = This is no phone number. It begins with + and the country code.
phone-not-sent = The code could not be sent. Choose another way, or try again later.
phone-too-late = This code is too old. Have another one sent.
phone-too-many = { $minutes ->
    [one] Too many codes were sent. Choose another way, or try again in a minute.
   *[other] Too many codes were sent. Choose another way, or try again in { $minutes } minutes.
}
code-message = { $code } is your code for { $product }. Give it to nobody: we never ask for it.
code-call = Your code for { $product } is: { $code }. I repeat: { $code }.
backup-title = Backup codes
backup-left = { $count ->
    [0] You have no backup codes left.
    [one] You have one backup code left.
   *[other] You have { $count } backup codes left.
}
backup-make-text = New codes replace all that you have.
backup-make = Make new backup codes
backup-codes-title = Your backup codes
backup-codes-text = Each of these codes lets you in once when your phone or key is not at hand. They are shown only now: print them or keep them in a safe place.
backup-codes-of = For the account { $username }
backup-codes-download = Download as a file
backup-codes-done = I have kept them
confirm-title = Is it you?
confirm-text = Please enter your password before you go on.
confirm-submit = Continue
confirm-provider = Please sign in at { $provider } once more before you go on.
confirm-again = Please sign out and sign in again before you go on.
confirm-cancel = Cancel
security-title = Second step
security-text = What you show after your password when you sign in. With two of them you are not locked out when one is lost.
security-none-title = Only a password
security-none-text = Whoever learns your password can sign in as you. A second step prevents that.
security-preferred = Asked for first
security-kind = Kind
security-added = Added
security-last-used = Last used
security-never-used = Never
security-change = Change
security-rename = Rename
security-prefer = Ask for this one first
security-remove = Remove
security-remove-text = You will be signed out everywhere else.
security-last = This is your last one, and a second step is required here. Add another one before you remove it.
security-add-title = Add
security-add-totp = Shows codes on your phone, without a network.
security-add-totp-link = Set up an app
security-add-phone = A text message or call with a code. Less safe than the others.
security-add-phone-link = Set up a phone number
spared-title = Devices that are not asked
spared-text = On these devices your password alone is enough.
spared-forget = Ask again
way-two-factors = With two steps
way-passkey = With a passkey
notice-factor-added = It is set up.
notice-factor-changed = Saved.
notice-factor-removed = It is removed. You are signed out everywhere else.
login-passkey = Sign in with a passkey
sign-in-passkey = This passkey does not fit. Please try again, or sign in with your password.
passkey-title = Security key or passkey
passkey-text = A key on your phone, in your computer or on your key ring. It asks for your PIN, finger or face, and cannot be phished.
passkey-name-default = Passkey
passkey-submit = Set up
passkey-show = Use the key
passkey-needs-script = Keys need JavaScript in your browser. Every other way works without it.
security-add-passkey = The safest way: nothing to type, nothing to be tricked out of.
security-add-passkey-link = Set up a key
## Identity providers
login-or = or
login-with = Continue with { $provider }
provider-again = Try again
provider-reference-label = Reference
provider-reference-text = If you need help, please give your administrators this reference:
provider-other-ways = All ways to sign in
provider-outdated-title = Please begin again
provider-outdated-text = This sign-in with { $provider } took too long, was finished in another tab, or did not begin in this browser.
provider-declined-title = Not signed in
provider-declined-text = { $provider } did not sign you in. Perhaps you cancelled there, or you may not use this service.
provider-away-title = No answer at the moment
provider-away-text = { $provider } does not answer, or not as it should. Please try again in a few minutes. Other ways to sign in work as usual.
provider-not-believed-title = That could not be confirmed
provider-not-believed-text = The answer of { $provider } could not be confirmed, so you were not signed in. Please try again.
provider-sign-out-text = The sign-out message of { $provider } could not be confirmed. Nothing was changed by it.
provider-refused-title = No way in yet
provider-waiting-title = Almost there
provider-unknown = No account here belongs to your identity at { $provider }. If you have an account, sign in to it in another way and add { $provider } under “Sign-in providers”. Otherwise please ask an administrator.
provider-not-invited = Signing in with { $provider } needs an invitation. Please open the link in your invitation, or ask an administrator for one.
provider-username-taken = Another account here has the username that { $provider } gives you. If it is yours, sign in to it in another way and add { $provider } under “Sign-in providers”. Otherwise please ask an administrator.
provider-email-taken = Another account here has your e-mail address. If it is yours, sign in to it in another way and add { $provider } under “Sign-in providers”. Otherwise please ask an administrator.
provider-link-first-title = You have an account here already
provider-link-first-text = There is an account with the e-mail address that { $provider } gave us. If it is yours, sign in to it once as you have until now; then you are asked whether { $provider } shall open it from now on. If it is not yours, please ask an administrator.
provider-link-first-submit = Sign in to my account
provider-invitation-open = You were invited with this e-mail address. Please open the link in that mail; from there you can go on with { $provider }.
provider-username-missing = { $provider } gave us no username that can be used here. Please ask an administrator.
provider-email-missing = { $provider } gave us no e-mail address that can be used here. Please complete your profile there, or ask an administrator.
provider-invitation-gone = This invitation was used already, or is too old. Please ask for a new one.
provider-linked-elsewhere = This identity at { $provider } belongs to another account here. Sign in there with another identity, or remove it from the other account first.
provider-other-identity = The account has an identity at { $provider } already, and it can have only one. Remove that one first.
provider-administrator-title = Not added
provider-administrator = Your account administers this service by now, and an equal e-mail address is not enough to link anything to such an account. Nothing was changed. If { $provider } shall open your account, add it yourself under “Sign-in providers”; a directory is linked by whoever runs the server.
provider-locked = This account is locked. Please contact an administrator.
provider-waiting = Your account is there. An administrator has to let you in; you get a mail then.
provider-ended = The time of this account is over. Please contact an administrator.
provider-off = Signing in with { $provider } is switched off. Please sign in in another way.
identities-title = Sign-in providers
identities-text = Who you are at other services that you can sign in with here.
identities-none = There is none yet.
identities-subject = Known there as
identities-since = Added
identities-last-used = Last used
identities-remove = Remove
identities-last-way = This is your only way in, so it cannot be removed.
identities-add-title = Add one
identities-add-text = You sign in there once, and confirm here afterwards.
identities-add = Add { $provider }
identity-add-title = Add this identity?
identity-add-text = From then on whoever can sign in there can sign in to your account with { $provider }.
identity-add-directory-text = From then on you sign in to your account with your password of { $provider }, and so can whoever else knows it.
identity-add-directory = Your password here stops working: from then on only your password of { $provider } counts, and it is changed there. If you remove { $provider } again under “Sign-in providers”, the one here counts again.
identity-add-provider = Provider
identity-add-directory-name = Directory
identity-add-submit = Add to my account
notice-identity-added = The identity was added. You can sign in with it from now on.
notice-identity-removed = The identity was removed.
