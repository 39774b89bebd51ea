# Die Wörter von Vestibule auf Deutsch. Schlicht und kurz; „Sie“ für die Lesenden; „anmelden“, nie „einloggen“.

## Um jede Seite
title-error = Fehler:
form-has-errors = Bitte prüfen Sie die markierten Felder.
mail-missing = Nach ein paar Minuten noch keine Mail da? Bitte sehen Sie auch im Spam-Ordner nach.
back-to-login = Zurück zur Anmeldung
link-invalid-title = Dieser Link gilt nicht mehr
sign-out = Abmelden

## Anmelden
login-title = Anmelden
login-username = Benutzername oder E-Mail-Adresse
login-password = Passwort
login-stay = { $days ->
    [one] Auf diesem Gerät einen Tag lang angemeldet bleiben
   *[other] Auf diesem Gerät { $days } Tage lang angemeldet bleiben
}
login-asked = Melden Sie sich in Ihrem Konto an wie bisher. Danach werden Sie gefragt, ob die Anmeldung, von der Sie gerade kommen, es auch öffnen soll.
login-no-passwords = Mit einem Passwort kann man sich hier nicht anmelden.
login-submit = Anmelden
login-lost-password = Passwort vergessen?
sign-in-wrong-credentials = Das hat nicht geklappt. Bitte prüfen Sie Benutzername und Passwort. Nach mehreren Fehlversuchen ist die Anmeldung eine Weile ausgesetzt.
sign-in-too-many-attempts = { $minutes ->
    [one] Zu viele Fehlversuche. Bitte versuchen Sie es in einer Minute wieder.
   *[other] Zu viele Fehlversuche. Bitte versuchen Sie es in { $minutes } Minuten wieder.
}
sign-in-locked = Dieses Konto ist gesperrt. Bitte wenden Sie sich an die Administration.
sign-in-waiting = Ihre Registrierung wartet auf die Administration. Sie erhalten eine Mail, sobald Sie sich anmelden können.
sign-in-attempt-expired = Das hat etwas zu lange gedauert. Bitte melden Sie sich noch einmal an.
sign-in-busy = Gerade melden sich viele Menschen an. Bitte versuchen Sie es in ein paar Sekunden wieder.
sign-in-directory-away = Ihr Passwort lässt sich gerade nicht prüfen, weil ein Verzeichnis Ihrer Organisation nicht antwortet. Prüfen Sie Ihre Eingabe und versuchen Sie es in einer Minute wieder.
sign-in-directory-password = Ihre Organisation verlangt, dass Sie zuerst Ihr Passwort ändern. Ändern Sie es dort, wo Sie es verwalten, zum Beispiel an Ihrem Rechner, und melden Sie sich dann hier an.
sign-in-directory-shut = Ihre Organisation lässt Sie mit diesem Konto gerade nicht herein. Bitte wenden Sie sich an die Administration.
sign-in-no-account = Ihr Passwort stimmt, aber hier gibt es kein Konto für Sie. Bitte wenden Sie sich an die Administration.
sign-in-conflict = Ihre Organisation kennt Sie, aber ein anderes Konto hat hier Ihren Benutzernamen oder Ihre E-Mail-Adresse; deshalb wurden Sie nicht angemeldet. Wenn jenes Konto Ihres ist, melden Sie sich damit an wie bisher, oder bitten Sie die Administration, beides zu verknüpfen.
sign-in-link-first = Ihr Passwort stimmt, und es gibt hier ein Konto mit Ihrer E-Mail-Adresse. Wenn es Ihres ist, melden Sie sich jetzt damit an wie bisher; danach werden Sie gefragt, ob beides zusammengehört. Wenn Sie zustimmen, gilt von da an nur noch das Passwort, das Sie gerade benutzt haben.

## Neue Passwörter
new-password-label = Neues Passwort
new-password-repeat = Neues Passwort wiederholen
current-password = Aktuelles Passwort
password-rule-shortest = { $count ->
    [one] Mindestens ein Zeichen
   *[other] Mindestens { $count } Zeichen; gut sind mehrere Wörter
}
password-rule-contains = Enthält { $class }
password-rule-hard-to-guess = Schwer zu erraten: kein gängiges Passwort, kein einfaches Muster
password-rule-not-personal = Ohne Ihren Namen, Benutzernamen oder Ihre E-Mail-Adresse
password-rule-not-reused = { $count ->
    [one] Nicht Ihr voriges Passwort
   *[other] Keines Ihrer letzten { $count } Passwörter
}
password-too-short = { $count ->
    [one] Das Passwort braucht mindestens ein Zeichen.
   *[other] Das Passwort braucht mindestens { $count } Zeichen.
}
password-too-long = { $count ->
    [one] Das Passwort darf höchstens ein Zeichen haben.
   *[other] Das Passwort darf höchstens { $count } Zeichen haben.
}
password-lacks = Das Passwort braucht { $class }.
password-class-lowercase = einen Kleinbuchstaben
password-class-uppercase = einen Großbuchstaben
password-class-digit = eine Ziffer
password-class-special = ein Zeichen, das weder Buchstabe noch Ziffer ist
password-common = Dieses Passwort steht auf der Liste gängiger Passwörter, die Angreifer zuerst probieren.
password-weak = Dieses Passwort ist leicht zu erraten. Wählen Sie ein längeres oder weniger regelmäßiges.
password-personal = Das Passwort darf weder Ihren Namen noch Benutzernamen noch Ihre E-Mail-Adresse enthalten.
password-reused = Dieses Passwort hatten Sie schon einmal. Bitte wählen Sie ein anderes.
password-unusable = Das Passwort enthält Zeichen, die man nicht tippen kann, zum Beispiel Zeilenumbrüche.
password-mismatch = Die beiden Passwörter sind verschieden.
change-password-title = Neues Passwort wählen
change-password-expired = Ihr Passwort ist abgelaufen. Wählen Sie ein neues, dann geht es weiter.
change-password-demanded = Die Administration bittet Sie, ein neues Passwort zu wählen. Danach geht es weiter.
change-password-submit = Speichern und weiter

## Verlorene Passwörter
lost-password-title = Passwort vergessen?
lost-password-text = Geben Sie Ihren Benutzernamen oder Ihre E-Mail-Adresse ein. Wir senden Ihnen einen Link, mit dem Sie ein neues Passwort wählen.
lost-password-submit = Link senden
lost-password-sent-title = Sehen Sie in Ihr Postfach
lost-password-sent-text = { $minutes ->
    [one] Falls wir dieses Konto kennen, ist eine Mail mit einem Link unterwegs. Der Link gilt eine Minute.
   *[other] Falls wir dieses Konto kennen, ist eine Mail mit einem Link unterwegs. Der Link gilt { $minutes } Minuten.
}
reset-password-title = Neues Passwort wählen
reset-password-text = Danach melden Sie sich damit an. Überall sonst werden Sie abgemeldet.
reset-password-submit = Neues Passwort speichern
reset-link-invalid-text = Er wurde schon benutzt oder ist zu alt. Sie können sich einen neuen senden lassen.
reset-link-again = Neuen Link senden

## Abmelden
logout-title = Abmelden?
logout-text = Angemeldet als { $name }
logout-stay = Angemeldet bleiben
signed-out-title = Sie sind abgemeldet
signed-out-text = Sie können dieses Fenster jetzt schließen.
signed-out-again = Wieder anmelden
signed-out-there = Sie sind hier und bei { $provider } abgemeldet. Sie können dieses Fenster jetzt schließen.
signed-out-stays = Sie sind hier abgemeldet, bei { $provider } aber nicht. Wenn andere dieses Gerät benutzen, melden Sie sich bitte auch dort ab.
signed-out-partly = Sie sind hier abgemeldet. { $provider } meldet, dass Sie anderswo noch angemeldet sind; bitte schließen Sie sicherheitshalber den Browser.
signed-out-unsure = Sie sind hier abgemeldet. Ob Sie auch bei { $provider } abgemeldet sind, können wir nicht sagen; bitte sehen Sie dort nach.
signed-out-onward = Sie sind hier abgemeldet. Jetzt meldet { $provider } Sie auch dort ab.
signed-out-onward-go = Weiter zu { $provider }
going-title = Weiter zu { $provider }
going-text = Mit dem nächsten Schritt verlassen Sie diese Seite und machen bei Ihrem Identitätsanbieter weiter.
going-go = Weiter

## Erster Start
setup-title = Willkommen
setup-text = Richten Sie das erste Administrationskonto ein. Alle anderen können später dazukommen.
setup-email-hint = Für Hinweise und falls Sie das Passwort vergessen.
setup-submit = Administrationskonto anlegen
setup-link-invalid-text = Er wurde schon benutzt oder ist zu alt.
setup-link-invalid-help = Solange es kein Administrationskonto gibt, nennt der Dienst bei jedem Start einen neuen Link.

## Einladung
invitation-title = Willkommen
invitation-text = Für Sie wurde ein Konto angelegt. Wählen Sie ein Passwort, dann können Sie sich anmelden.
invitation-signed-in = Sie sind angemeldet als { $name }. Diese Einladung ist für ein neues Konto; wer sie annimmt, wird hier abgemeldet.
invitation-ends = Das Konto besteht bis { $when }.
invitation-username = Sie melden sich als { $username } an.
invitation-submit = Einladung annehmen
invitation-link-invalid-text = Er wurde schon benutzt oder ist zu alt. Falls er zu alt war, ist ein neuer unterwegs an die Adresse, an die dieser ging.
invitation-link-invalid-help = Wenn keine Mail kommt, fragen Sie bitte, wer Sie eingeladen hat.

## Registrierung
register-title = Konto anlegen
register-text = Nennen Sie uns Ihre E-Mail-Adresse. Wir senden Ihnen einen Link, mit dem es weitergeht.
register-submit = Link senden
register-sent-title = Sehen Sie in Ihre Mail
register-sent-text = { $hours ->
    [one] Wir haben eine Mail an diese Adresse gesendet. Ihr Link gilt eine Stunde.
   *[other] Wir haben eine Mail an diese Adresse gesendet. Ihr Link gilt { $hours } Stunden.
}
register-link-invalid-text = Er wurde schon benutzt oder ist zu alt. Sie können sich einen neuen senden lassen.
register-link-again = Neuen Link senden
register-account-text = Wählen Sie, wie Sie sich anmelden möchten.
register-account-submit = Konto anlegen
register-at-once-email-hint = Wir senden eine Mail dorthin. Erst wenn Sie deren Link gefolgt sind, bekommen Sie Nachrichten und können ein vergessenes Passwort ersetzen.
login-register = Konto anlegen

## Konto
account-skip = Zum Inhalt springen
account-nav = Ihr Konto
overview-title = Überblick
overview-greeting = Hallo, { $name }
overview-text = Das ist Ihr Konto: wer Sie hier sind und wo Sie angemeldet sind.
overview-to-profile = Profil bearbeiten
overview-to-password = Passwort ändern
overview-to-sessions = Sitzungen ansehen
overview-password-changed = Zuletzt geändert
overview-password-none = Kein Passwort
overview-signed-in = Hier angemeldet
overview-ends = Ihr Konto endet
overview-sessions = Offene Sitzungen
overview-session-count = { $count ->
    [one] Nur diese
   *[other] { $count }, diese mitgezählt
}
username-label = Benutzername
username-hint = Damit melden Sie sich an.
name-label = Name
name-hint = So, wie andere ihn sehen sollen.
email-label = E-Mail-Adresse
email-none = Noch keine
email-none-hint = Eine Adresse gilt, sobald Sie den Link in unserer Mail dorthin geöffnet haben.
email-none-send = Link zusenden lassen
profile-title = Profil
profile-sign-in-data = Anmeldung
profile-change-email = E-Mail-Adresse ändern
profile-from-directory = Aus „{ $directory }“
profile-from-directory-text = Diese Angaben führt Ihre Organisation. Sie werden beim Anmelden aufgefrischt und lassen sich hier nicht ändern.
profile-about-you = Über Sie
profile-language = Sprache
profile-language-browser = Wie es mein Browser wünscht
profile-time-zone = Zeitzone
profile-time-zone-hint = Zum Beispiel Europe/Berlin. Ohne Angabe zeigen wir Zeiten in UTC.
profile-contrast = Kontrast
profile-contrast-system = Wie es mein Gerät wünscht
profile-contrast-more = Stark
profile-submit = Speichern
profile-picture = Bild
profile-picture-hint = JPEG, PNG oder WebP, bis 8 MB. Wir schneiden das mittlere Quadrat aus und behalten sonst nichts von der Datei, auch nicht den Ort der Aufnahme.
profile-picture-file = Bild von diesem Gerät
profile-picture-submit = Dieses Bild verwenden
profile-picture-remove = Bild entfernen
profile-picture-yours = Ihr Bild

email-title = E-Mail-Adresse ändern
email-text = Wir senden einen Link an die neue Adresse. Bis Sie ihn öffnen, ändert sich nichts.
email-current = Aktuelle Adresse
email-new = Neue Adresse
email-submit = Link senden
email-sent-title = Sehen Sie in Ihr Postfach
email-sent-text = { $hours ->
    [one] Wir haben einen Link an { $address } gesendet. Bitte öffnen Sie ihn innerhalb einer Stunde; bis dahin ändert sich nichts.
   *[other] Wir haben einen Link an { $address } gesendet. Bitte öffnen Sie ihn innerhalb von { $hours } Stunden; bis dahin ändert sich nichts.
}
email-confirm-title = E-Mail-Adresse bestätigen
email-confirm-text = Von jetzt an ist { $address } die Adresse Ihres Kontos.
email-confirm-submit = Adresse bestätigen
email-link-invalid-text = Er wurde schon benutzt oder ist zu alt. Ihre Adresse wurde nicht geändert.
email-link-again = Noch einmal ändern

password-title = Passwort
password-text = Wenn Sie Ihr Passwort ändern, enden alle Ihre anderen Sitzungen, und gemerkte Geräte müssen sich neu anmelden.
password-submit = Passwort ändern
password-kept-elsewhere-page = Passwort dort ändern
password-kept-elsewhere = Ihr Passwort wird in „{ $directory }“ geführt. Ändern Sie es dort, zum Beispiel an Ihrem Rechner oder auf der Seite, die Ihre Organisation dafür hat; hier gilt es sofort.

sessions-title = Sitzungen
sessions-text = Hier sind Sie angemeldet. Wenn Sie eine Sitzung nicht erkennen, beenden Sie sie und ändern Sie Ihr Passwort.
sessions-current = Diese Sitzung
sessions-last-seen = Zuletzt benutzt
sessions-started = Begonnen
sessions-way = Angemeldet mit
sessions-network = Netz
sessions-end = Sitzung beenden
sessions-end-others-text = Gerät verloren oder unsicher? Danach bleibt nur die Sitzung, die Sie gerade benutzen.
sessions-end-others = Alle anderen beenden
devices-title = Gemerkte Geräte
devices-text = Diese Geräte melden sich von selbst an.
devices-current = Dieses Gerät
devices-last-used = Zuletzt angemeldet
devices-remembered = Gemerkt seit
devices-until = Gemerkt bis
devices-forget = Gerät vergessen
way-password = Passwort
way-remembered-device = Gemerktes Gerät

## Was an einem Feld nicht stimmt
field-missing = Bitte füllen Sie dieses Feld aus.
field-too-long = { $count ->
    [one] Bitte höchstens ein Zeichen.
   *[other] Bitte höchstens { $count } Zeichen.
}
field-invalid-username = Das kann kein Benutzername sein. Möglich sind Buchstaben eines Alphabets, Ziffern, Leerzeichen und _ - @ . +
field-address-as-username = Bitte wählen Sie einen Benutzernamen ohne @-Zeichen.
field-username-taken = Dieser Benutzername ist vergeben.
field-email-taken = Diese Adresse gehört schon zu einem anderen Konto.
field-invalid-name = Der Name enthält Zeichen, die in keinem Namen vorkommen.
field-invalid-email = Das ist keine E-Mail-Adresse.
field-foreign-domain = Adressen dieser Domain können hier nicht registriert werden.
field-same-email = Das ist schon Ihre Adresse.
field-unknown-time-zone = Diese Zeitzone kennen wir nicht. Bitte wählen Sie eine aus der Liste.
field-wrong-password = Das ist nicht Ihr aktuelles Passwort.
field-picture-kind = Das ist weder ein JPEG noch ein PNG noch ein WebP.
field-picture-pixels = Dieses Bild hat zu viele Pixel. Bitte wählen Sie ein kleineres.
field-picture-damaged = Diese Datei ist beschädigt oder unvollständig.
field-picture-too-large = Diese Datei ist größer als 8 MB. Bitte wählen Sie eine kleinere.

## Was gerade geschehen ist
notice-profile-saved = Ihr Profil ist gespeichert.
notice-picture-saved = Ihr Bild ist gespeichert.
notice-picture-removed = Ihr Bild ist entfernt.
notice-password-changed = Ihr Passwort ist geändert. Alle anderen Sitzungen sind beendet.
notice-password-reset = Ihr Passwort ist geändert. Sie können sich jetzt damit anmelden.
notice-email-changed = Ihre E-Mail-Adresse ist geändert.
notice-session-ended = Die Sitzung ist beendet.
notice-other-sessions-ended = Alle anderen Sitzungen sind beendet.
notice-device-forgotten = Das Gerät muss sich beim nächsten Mal neu anmelden.
notice-invitation-accepted = Ihr Konto ist bereit. Sie können sich jetzt anmelden.
notice-registered-at-once = Ihr Konto ist bereit. Melden Sie sich mit Ihrem Benutzernamen an und folgen Sie dann dem Link in der Mail, die wir Ihnen geschickt haben.
notice-registration-waits = Danke. Die Administration sieht sich Ihr Konto an, Sie bekommen dann eine Mail.
notice-setup-done = Das Administrationskonto ist eingerichtet. Sie können sich jetzt anmelden.

## Wer angemeldet ist und nicht weiter darf
forbidden-title = Nicht für dieses Konto
forbidden-application = Sie wollten zu { $application }.
forbidden-person = Sie sind angemeldet als { $name }.
forbidden-group = Ihr Konto ist in keiner der Gruppen, die diese Seite öffnen dürfen. Bitte wenden Sie sich an die Administration, wenn Sie sie brauchen.
forbidden-network = Diese Seite lässt sich nur aus bestimmten Netzen öffnen, etwa aus dem Büro oder über das VPN.
forbidden-unknown-application = Unter dieser Adresse ist keine Anwendung bekannt.
forbidden-other = Diese Seite darf so nicht geöffnet werden.
forbidden-code = Für die Administration:
forbidden-other-account = Abmelden und ein anderes Konto verwenden
forbidden-account = Zu Ihrem Konto
forbidden-again = Noch einmal versuchen

## Am Fuß jeder Seite
foot-privacy = Datenschutz
foot-privacy-contact = Fragen zu Ihren Daten

## Wenn etwas nicht geht
error-status = Fehler { $status }
error-home = Zur Startseite
error-id-label = Fehlernummer
error-id-text = Falls es wieder geschieht, nennen Sie der Administration bitte diese Nummer:
error-bad-request-title = Das hat nicht geklappt
error-bad-request-text = Wir konnten die Anfrage nicht verstehen. Bitte gehen Sie zurück und versuchen Sie es noch einmal.
error-foreign-target-title = Dieser Link führt woandershin
error-foreign-target-text = Nach der Anmeldung würde er zu einer Adresse führen, die keiner Anwendung hier gehört; deshalb folgen wir ihm nicht. Bitte öffnen Sie die Anwendung selbst oder gehen Sie zur Startseite.
error-form-expired-title = Bitte noch einmal
error-form-expired-text = Die Seite war zu lange offen, oder sie wurde von woanders abgeschickt. Es wurde nichts geändert. Bitte gehen Sie zurück, laden Sie die Seite neu und versuchen Sie es noch einmal.
error-forbidden-title = Kein Zugang
error-forbidden-text = Ihr Konto darf diese Seite nicht öffnen.
error-not-found-title = Seite nicht gefunden
error-not-found-text = Unter dieser Adresse gibt es nichts. Vielleicht ist sie vertippt, oder die Seite ist umgezogen.
error-too-slow-title = Das hat zu lange gedauert
error-too-slow-text = Was Sie gesendet haben, kam nicht rechtzeitig an; es wurde nichts geändert. Bitte gehen Sie zurück und versuchen Sie es noch einmal, vielleicht mit einer besseren Verbindung.
error-too-large-title = Zu viel auf einmal
error-too-large-text = Es wurden mehr Daten gesendet, als wir annehmen. Bitte gehen Sie zurück und wählen Sie etwas Kleineres.
error-too-many-requests-title = Zu viele Versuche
error-too-many-requests-text = Bitte warten Sie ein paar Minuten und versuchen Sie es dann wieder.
error-internal-title = Da ging etwas schief
error-internal-text = Der Fehler liegt bei uns, nicht bei Ihnen. Bitte versuchen Sie es in ein paar Minuten wieder.
error-unavailable-title = Gleich wieder da
error-unavailable-text = Der Dienst kann gerade nicht antworten. Bitte versuchen Sie es in ein paar Minuten wieder.

## Mails
letter-greeting = Hallo { $name },
letter-greeting-nameless = Hallo,
letter-closing =
    Diese Mail kommt von { $product }. Bitte antworten Sie nicht darauf.
letter-password-elsewhere-subject = { $product }: wo Ihr Passwort geführt wird
letter-password-elsewhere-body =
    jemand, vermutlich Sie, möchte ein neues Passwort für Ihr Konto bei { $product } wählen. Dieses Konto meldet sich mit dem Passwort an, das in „{ $directory }“ geführt wird; hier lässt es sich nicht ändern. Ein neues bekommen Sie von Ihrer Organisation.

    Wenn Sie das nicht waren, müssen Sie nichts tun. Ihr Passwort bleibt, wie es ist.
letter-password-elsewhere-body-with-page =
    jemand, vermutlich Sie, möchte ein neues Passwort für Ihr Konto bei { $product } wählen. Dieses Konto meldet sich mit dem Passwort an, das in „{ $directory }“ geführt wird; hier lässt es sich nicht ändern. Ein neues wählen Sie auf dieser Seite Ihrer Organisation:

    { $link }

    Wenn Sie das nicht waren, müssen Sie nichts tun. Ihr Passwort bleibt, wie es ist.
letter-password-recovery-subject = { $product }: neues Passwort wählen
letter-password-recovery-body = { $minutes ->
    [one]
        jemand, vermutlich Sie, möchte ein neues Passwort für Ihr Konto bei { $product } wählen. Öffnen Sie dafür innerhalb einer Minute diesen Link:

        { $link }

        Wenn Sie das nicht waren, müssen Sie nichts tun. Ihr Passwort bleibt, wie es ist.
   *[other]
        jemand, vermutlich Sie, möchte ein neues Passwort für Ihr Konto bei { $product } wählen. Öffnen Sie dafür innerhalb von { $minutes } Minuten diesen Link:

        { $link }

        Wenn Sie das nicht waren, müssen Sie nichts tun. Ihr Passwort bleibt, wie es ist.
}
letter-invitation-subject = { $product }: Ihr Konto wartet auf Sie
letter-invitation-body = { $days ->
    [one]
        bei { $product } wurde ein Konto für Sie angelegt. Öffnen Sie innerhalb eines Tages diesen Link, um ein Passwort zu wählen:

        { $link }

        Öffnen Sie ihn später, senden wir Ihnen einen neuen. Wenn Sie davon nichts wissen, beachten Sie diese Mail bitte nicht.
   *[other]
        bei { $product } wurde ein Konto für Sie angelegt. Öffnen Sie innerhalb von { $days } Tagen diesen Link, um ein Passwort zu wählen:

        { $link }

        Öffnen Sie ihn später, senden wir Ihnen einen neuen. Wenn Sie davon nichts wissen, beachten Sie diese Mail bitte nicht.
}
letter-invitation-ends = Das Konto besteht bis { $when }.
letter-registration-subject = { $product }: Registrierung abschließen
letter-registration-body = { $hours ->
    [one]
        jemand, vermutlich Sie, möchte bei { $product } ein Konto mit dieser Adresse. Öffnen Sie innerhalb einer Stunde diesen Link, um Namen und Passwort zu wählen:

        { $link }

        Wenn Sie das nicht waren, müssen Sie nichts tun. Ohne den Link gibt es kein Konto.
   *[other]
        jemand, vermutlich Sie, möchte bei { $product } ein Konto mit dieser Adresse. Öffnen Sie innerhalb von { $hours } Stunden diesen Link, um Namen und Passwort zu wählen:

        { $link }

        Wenn Sie das nicht waren, müssen Sie nichts tun. Ohne den Link gibt es kein Konto.
}
letter-already-registered-subject = { $product }: Sie haben schon ein Konto
letter-already-registered-body =
    jemand, vermutlich Sie, wollte sich mit dieser Adresse bei { $product } registrieren. Sie haben schon ein Konto und können sich hier anmelden:

    { $link }

    Haben Sie das Passwort vergessen, schickt Ihnen diese Seite einen Link zu einem neuen. Wenn Sie das nicht waren, müssen Sie nichts tun.
letter-registration-waits-subject = { $product }: jemand hat sich registriert
letter-registration-waits-body =
    { $username } hat eine E-Mail-Adresse bestätigt und wartet bei { $product } auf die Freigabe. Geben Sie das Konto auf dem Server frei oder sperren Sie es.
letter-approved-subject = { $product }: Sie können sich anmelden
letter-approved-body =
    Ihr Konto bei { $product } ist freigegeben. Sie können sich jetzt anmelden:

    { $link }
letter-confirm-email-subject = { $product }: E-Mail-Adresse bestätigen
letter-confirm-email-body = { $hours ->
    [one]
        { $address } soll die Adresse eines Kontos bei { $product } werden. Öffnen Sie innerhalb einer Stunde diesen Link, um das zu bestätigen:

        { $link }

        Wenn Sie davon nichts wissen, beachten Sie diese Mail bitte nicht. Ohne den Link geschieht nichts.
   *[other]
        { $address } soll die Adresse eines Kontos bei { $product } werden. Öffnen Sie innerhalb von { $hours } Stunden diesen Link, um das zu bestätigen:

        { $link }

        Wenn Sie davon nichts wissen, beachten Sie diese Mail bitte nicht. Ohne den Link geschieht nichts.
}
letter-email-changed-subject = { $product }: Ihre E-Mail-Adresse wurde geändert
letter-email-changed-body =
    die Adresse Ihres Kontos bei { $product } wurde in { $address } geändert. Ab jetzt gehen Mails dorthin.

    Wenn Sie das nicht waren, sagen Sie bitte sofort der Administration Bescheid.
letter-password-changed-subject = { $product }: Ihr Passwort wurde geändert
letter-password-changed-body =
    das Passwort Ihres Kontos bei { $product } wurde geändert ({ $when }).

    Wenn Sie das nicht waren, sagen Sie bitte sofort der Administration Bescheid.
letter-unlinked-subject = { $product }: Ihr Konto ist nicht mehr verknüpft
letter-unlinked-body =
    die Administration von { $product } hat die Verknüpfung zwischen Ihrem Konto und { $directory } aufgehoben ({ $when }). Mit dem Passwort von dort können Sie sich hier nicht mehr anmelden; überall wurden Sie abgemeldet.

    Wenn Sie das Konto brauchen oder davon nichts wissen, fragen Sie bitte Ihre Administration.
letter-new-device-subject = { $product }: neue Anmeldung an Ihrem Konto
letter-new-device-body =
    an Ihrem Konto bei { $product } hat sich jemand mit einem Browser oder aus einem Netz angemeldet, die dort bisher nicht vorkamen ({ $when }):

    { $device }

    Netz: { $network }

    Wenn Sie das waren, müssen Sie nichts tun. Wenn nicht, ändern Sie bitte sofort Ihr Passwort, beenden Sie in Ihrem Konto alle anderen Sitzungen, und sagen Sie der Administration Bescheid.
letter-identity-added-subject = { $product }: eine Anmeldung wurde hinzugefügt
letter-identity-added-body =
    „{ $source }“ wurde Ihrem Konto bei { $product } hinzugefügt ({ $when }). Wer sich dort anmelden kann, kann sich von nun an in Ihrem Konto anmelden.

    Wenn Sie das nicht waren, entfernen Sie es sofort in Ihrem Konto unter „Anmeldedienste“, ändern Sie Ihr Passwort und sagen Sie der Administration Bescheid.
letter-directory-added-body =
    „{ $source }“ wurde Ihrem Konto bei { $product } hinzugefügt ({ $when }). Wer sich dort anmelden kann, kann sich von nun an in Ihrem Konto anmelden.

    Von nun an gilt für Ihr Konto nur noch Ihr Passwort von „{ $source }“. Ein Passwort, das Sie bei { $product } selbst hatten, meldet Sie nicht mehr an; es gilt wieder, wenn Sie „{ $source }“ in Ihrem Konto unter „Anmeldedienste“ entfernen.

    Wenn Sie das nicht waren, sagen Sie der Administration sofort Bescheid: Ihr eigenes Passwort öffnet das Konto womöglich nicht mehr.
letter-identity-removed-subject = { $product }: eine Anmeldung wurde entfernt
letter-identity-removed-body =
    „{ $source }“ wurde aus Ihrem Konto bei { $product } entfernt ({ $when }). Ihr Konto lässt sich damit nicht mehr öffnen.

    Wenn Sie das nicht waren, ändern Sie sofort Ihr Passwort und sagen Sie der Administration Bescheid.
letter-factor-added-subject = { $product }: ein zweiter Schritt kam hinzu
letter-factor-added-body =
    { $what } „{ $name }“ kam am { $when } zu Ihrem Konto bei { $product } hinzu und gilt ab jetzt als zweiter Schritt.

    Wenn Sie das nicht waren, ändern Sie sofort Ihr Passwort, entfernen Sie ihn aus Ihrem Konto und sagen Sie einem Administrator Bescheid.
letter-factor-removed-subject = { $product }: ein zweiter Schritt wurde entfernt
letter-factor-removed-body =
    { $what } „{ $name }“ wurde am { $when } aus Ihrem Konto bei { $product } entfernt.

    Wenn Sie das nicht waren, ändern Sie sofort Ihr Passwort und sagen Sie einem Administrator Bescheid.
letter-backup-codes-made-subject = { $product }: neue Ersatzcodes
letter-backup-codes-made-body =
    am { $when } wurden neue Ersatzcodes für Ihr Konto bei { $product } erstellt. Die bisherigen gelten nicht mehr.

    Wenn Sie das nicht waren, ändern Sie sofort Ihr Passwort und sagen Sie einem Administrator Bescheid.
letter-backup-code-used-subject = { $product }: ein Ersatzcode wurde verwendet
letter-backup-code-used-body =
    am { $when } wurde ein Ersatzcode Ihres Kontos bei { $product } verwendet. { $left ->
        [0] Es ist keiner mehr übrig: Erstellen Sie neue.
        [one] Einer ist noch übrig: Erstellen Sie bald neue.
       *[other] { $left } sind noch übrig.
    }

    Wenn Sie das nicht waren, ändern Sie sofort Ihr Passwort und sagen Sie einem Administrator Bescheid.
letter-factor-copied-subject = { $product }: ein Sicherheitsschlüssel wurde vielleicht kopiert
letter-factor-copied-body =
    der Sicherheitsschlüssel „{ $name }“ Ihres Kontos bei { $product } hat am { $when } so geantwortet, als gäbe es ihn zweimal. Die Antwort wurde nicht angenommen.

    Bitte entfernen Sie diesen Schlüssel aus Ihrem Konto und sagen Sie einem Administrator Bescheid.
letter-factors-reset-subject = { $product }: Ihr zweiter Schritt wurde entfernt
letter-factors-reset-body =
    ein Administrator hat am { $when } alle zweiten Schritte und Ersatzcodes aus Ihrem Konto bei { $product } entfernt. Sie wurden überall abgemeldet und können sich mit Ihrem Passwort anmelden.

    Wenn Sie nicht darum gebeten haben, sagen Sie sofort einem Administrator Bescheid.
letter-autologin-theft-subject = { $product }: Ihre Sitzungen wurden beendet
letter-autologin-theft-body =
    eine gespeicherte Anmeldung Ihres Kontos bei { $product } wurde doppelt benutzt ({ $when }). Das geschieht, wenn jemand sie von diesem Gerät kopiert hat:

    { $device }

    Zur Sicherheit haben wir die Sitzungen beendet, die daraus entstanden sind, und das Gerät muss sich neu anmelden. Bitte ändern Sie Ihr Passwort und lassen Sie das Gerät auf Schadsoftware prüfen.

## Zweiter Faktor
factor-title = Noch ein Schritt
factor-text-totp = Geben Sie den Code ein, den Ihre Authenticator-App gerade anzeigt.
factor-text-phone = Wir schicken einen Code an Ihr Telefon. Wählen Sie, wohin.
factor-text-backup = Geben Sie einen Ihrer Ersatzcodes ein. Jeder gilt einmal.
factor-text-passkey = Verwenden Sie Ihren Sicherheitsschlüssel oder Passkey.
factor-code = Code
factor-backup-code = Ersatzcode
factor-keep = { $days ->
    [one] Auf diesem Gerät einen Tag lang nicht fragen
   *[other] Auf diesem Gerät { $days } Tage lang nicht fragen
}
factor-submit = Weiter
factor-others = Anderer Weg
factor-use-totp = Authenticator-App verwenden
factor-use-phone = Code an Ihr Telefon schicken lassen
factor-send-sms = SMS an { $number } schicken
factor-send-voice = { $number } anrufen
factor-use-backup = Ersatzcode verwenden
factor-use-passkey = Sicherheitsschlüssel oder Passkey verwenden
factor-wrong-totp = Dieser Code ist falsch oder wurde schon verwendet. Warten Sie auf den nächsten und versuchen Sie es noch einmal.
factor-wrong-phone = Dieser Code ist falsch, schon verwendet oder zu alt. Geben Sie den neuesten ein oder lassen Sie einen anderen schicken.
factor-wrong-backup = Dieser Code ist falsch oder wurde schon verwendet.
factor-wrong-passkey = Das hat nicht geklappt. Bitte versuchen Sie es noch einmal.
factor-wrong-name = Ein Name braucht 1 bis 60 Zeichen.
factor-name = Name
factor-name-hint = Damit Sie das Gerät später erkennen.
factor-kind-totp = Authenticator-App
factor-kind-phone = Telefonnummer
factor-kind-passkey = Sicherheitsschlüssel oder Passkey
enrol-title = Schützen Sie Ihr Konto
enrol-text = Hier ist ein zweiter Schritt vorgeschrieben. Richten Sie ihn jetzt ein, dann geht es weiter.
totp-title = Authenticator-App
totp-text = Eine App auf Ihrem Telefon zeigt jede halbe Minute einen neuen Code. Sie geben ihn nach dem Passwort ein.
totp-name-default = Authenticator-App
totp-scan-title = Lesen Sie dieses Bild mit der App ein
totp-scan-text = Jede Authenticator-App ist recht. Fügen Sie dort ein Konto hinzu und richten Sie die Kamera hierher.
totp-picture = QR-Code für die Authenticator-App
totp-open = In einer App auf diesem Gerät öffnen
totp-key-text = Oder tippen Sie diesen Schlüssel in die App. Das Konto heißt dort { $account }.
totp-confirm-title = Geben Sie den Code ein, den sie anzeigt
totp-clock = Hier ist es { $time }. Zeigt die Uhr Ihres Telefons etwas anderes, passen die Codes nicht: Lassen Sie das Telefon seine Zeit selbst stellen.
totp-submit = Einrichten
phone-title = Telefonnummer
phone-text = Beim Anmelden schicken wir einen Code an Ihr Telefon.
phone-risk = Weniger sicher als eine App oder ein Schlüssel: SMS und Anrufe lassen sich abfangen, und Telefonnummern können übernommen werden. Nehmen Sie lieber eine App oder einen Schlüssel, wenn Sie können.
phone-number = Telefonnummer
phone-number-hint = Mit der Landesvorwahl, zum Beispiel +49 170 1234567.
phone-name-default = Telefon
phone-send-sms = SMS schicken
phone-send-voice = Anrufen
phone-sent-sms = Ein Code ist als SMS an { $number } unterwegs. Er gilt 10 Minuten.
phone-sent-voice = { $number } wird angerufen. Der Code, den Sie hören, gilt 10 Minuten.
phone-submit = Bestätigen
phone-nothing-came = Nichts angekommen?
phone-other-number = Andere Nummer verwenden
phone-back-to-enrol = Anderen Weg wählen
phone-abroad = An Nummern dieses Landes schicken wir keine Codes.
phone-wrong-number = Das ist keine Telefonnummer. Sie beginnt mit + und der Landesvorwahl.
phone-not-sent = Der Code konnte nicht verschickt werden. Wählen Sie einen anderen Weg oder versuchen Sie es später noch einmal.
phone-too-late = Dieser Code ist zu alt. Lassen Sie einen anderen schicken.
phone-too-many = { $minutes ->
    [one] Es wurden zu viele Codes verschickt. Wählen Sie einen anderen Weg oder versuchen Sie es in einer Minute noch einmal.
   *[other] Es wurden zu viele Codes verschickt. Wählen Sie einen anderen Weg oder versuchen Sie es in { $minutes } Minuten noch einmal.
}
code-message = { $code } ist Ihr Code für { $product }. Geben Sie ihn niemandem: Wir fragen nie danach.
code-call = Ihr Code für { $product } lautet: { $code }. Ich wiederhole: { $code }.
backup-title = Ersatzcodes
backup-left = { $count ->
    [0] Sie haben keine Ersatzcodes mehr.
    [one] Sie haben noch einen Ersatzcode.
   *[other] Sie haben noch { $count } Ersatzcodes.
}
backup-make-text = Neue Codes ersetzen alle, die Sie haben.
backup-make = Neue Ersatzcodes erstellen
backup-codes-title = Ihre Ersatzcodes
backup-codes-text = Mit jedem dieser Codes kommen Sie einmal hinein, wenn Telefon oder Schlüssel nicht zur Hand ist. Sie werden nur jetzt gezeigt: Drucken Sie sie aus oder verwahren Sie sie sicher.
backup-codes-of = Für das Konto { $username }
backup-codes-download = Als Datei herunterladen
backup-codes-done = Ich habe sie verwahrt
confirm-title = Sind Sie es?
confirm-text = Bitte geben Sie Ihr Passwort ein, bevor es weitergeht.
confirm-submit = Weiter
confirm-provider = Bitte melden Sie sich noch einmal bei { $provider } an, bevor es weitergeht.
confirm-again = Bitte melden Sie sich ab und neu an, bevor es weitergeht.
confirm-cancel = Abbrechen
security-title = Zweiter Schritt
security-text = Was Sie beim Anmelden nach dem Passwort zeigen. Mit zweien stehen Sie nicht vor der Tür, wenn eines verloren geht.
security-none-title = Nur ein Passwort
security-none-text = Wer Ihr Passwort erfährt, kann sich als Sie anmelden. Ein zweiter Schritt verhindert das.
security-preferred = Wird zuerst gefragt
security-kind = Art
security-added = Hinzugefügt
security-last-used = Zuletzt verwendet
security-never-used = Nie
security-change = Ändern
security-rename = Umbenennen
security-prefer = Zuerst danach fragen
security-remove = Entfernen
security-remove-text = Sie werden überall sonst abgemeldet.
security-last = Das ist der letzte, und hier ist ein zweiter Schritt vorgeschrieben. Fügen Sie einen anderen hinzu, bevor Sie ihn entfernen.
security-add-title = Hinzufügen
security-add-totp = Zeigt Codes auf Ihrem Telefon, auch ohne Netz.
security-add-totp-link = App einrichten
security-add-phone = Eine SMS oder ein Anruf mit einem Code. Weniger sicher als die anderen Wege.
security-add-phone-link = Telefonnummer einrichten
spared-title = Geräte, die nicht gefragt werden
spared-text = Auf diesen Geräten genügt Ihr Passwort.
spared-forget = Wieder fragen
way-two-factors = Mit zwei Schritten
way-passkey = Mit einem Passkey
notice-factor-added = Der zweite Schritt ist eingerichtet.
notice-factor-changed = Gespeichert.
notice-factor-removed = Der zweite Schritt ist entfernt. Überall sonst sind Sie abgemeldet.
login-passkey = Mit einem Passkey anmelden
sign-in-passkey = Dieser Passkey passt nicht. Bitte versuchen Sie es noch einmal oder melden Sie sich mit dem Passwort an.
passkey-title = Sicherheitsschlüssel oder Passkey
passkey-text = Ein Schlüssel auf dem Telefon, im Computer oder am Schlüsselbund. Er fragt nach PIN, Finger oder Gesicht und fällt auf keine gefälschte Seite herein.
passkey-name-default = Passkey
passkey-submit = Einrichten
passkey-show = Schlüssel verwenden
passkey-needs-script = Schlüssel brauchen JavaScript im Browser. Alle anderen Wege gehen ohne.
security-add-passkey = Der sicherste Weg: nichts zu tippen, nichts abzuschwatzen.
security-add-passkey-link = Schlüssel einrichten
## Identitätsanbieter
login-or = oder
login-with = Weiter mit { $provider }
provider-again = Noch einmal versuchen
provider-reference-label = Referenz
provider-reference-text = Wenn Sie Hilfe brauchen, nennen Sie der Administration bitte diese Referenz:
provider-other-ways = Alle Wege zur Anmeldung
provider-outdated-title = Bitte beginnen Sie neu
provider-outdated-text = Diese Anmeldung mit { $provider } hat zu lange gedauert, wurde in einem anderen Tab beendet oder hat nicht in diesem Browser begonnen.
provider-declined-title = Nicht angemeldet
provider-declined-text = { $provider } hat Sie nicht angemeldet. Vielleicht haben Sie dort abgebrochen, oder Sie dürfen diesen Dienst nicht nutzen.
provider-away-title = Im Moment keine Antwort
provider-away-text = { $provider } antwortet nicht oder nicht richtig. Bitte versuchen Sie es in ein paar Minuten noch einmal. Andere Wege zur Anmeldung gehen wie gewohnt.
provider-not-believed-title = Das ließ sich nicht bestätigen
provider-not-believed-text = Die Antwort von { $provider } ließ sich nicht bestätigen, deshalb wurden Sie nicht angemeldet. Bitte versuchen Sie es noch einmal.
provider-sign-out-text = Die Abmelde-Nachricht von { $provider } ließ sich nicht bestätigen. Durch sie wurde nichts geändert.
provider-refused-title = Noch kein Zugang
provider-waiting-title = Fast geschafft
provider-unknown = Zu Ihrer Identität bei { $provider } gehört hier kein Konto. Wenn Sie ein Konto haben, melden Sie sich auf anderem Weg an und fügen Sie { $provider } unter „Anmeldedienste“ hinzu. Sonst wenden Sie sich bitte an die Administration.
provider-not-invited = Für die Anmeldung mit { $provider } brauchen Sie eine Einladung. Bitte öffnen Sie den Link in Ihrer Einladung, oder bitten Sie die Administration um eine.
provider-username-taken = Ein anderes Konto hat hier den Benutzernamen, den { $provider } Ihnen gibt. Wenn es Ihres ist, melden Sie sich auf anderem Weg an und fügen Sie { $provider } unter „Anmeldedienste“ hinzu. Sonst wenden Sie sich bitte an die Administration.
provider-email-taken = Ein anderes Konto hat hier Ihre E-Mail-Adresse. Wenn es Ihres ist, melden Sie sich auf anderem Weg an und fügen Sie { $provider } unter „Anmeldedienste“ hinzu. Sonst wenden Sie sich bitte an die Administration.
provider-link-first-title = Sie haben hier schon ein Konto
provider-link-first-text = Es gibt ein Konto mit der E-Mail-Adresse, die { $provider } uns genannt hat. Wenn es Ihres ist, melden Sie sich einmal damit an wie bisher; danach werden Sie gefragt, ob { $provider } es von nun an öffnen soll. Ist es nicht Ihres, wenden Sie sich bitte an die Administration.
provider-link-first-submit = In meinem Konto anmelden
provider-invitation-open = Sie wurden mit dieser E-Mail-Adresse eingeladen. Bitte öffnen Sie den Link in jener Mail; von dort geht es weiter mit { $provider }.
provider-username-missing = { $provider } hat uns keinen Benutzernamen genannt, der hier verwendbar ist. Bitte wenden Sie sich an die Administration.
provider-email-missing = { $provider } hat uns keine E-Mail-Adresse genannt, die hier verwendbar ist. Bitte ergänzen Sie dort Ihr Profil, oder wenden Sie sich an die Administration.
provider-invitation-gone = Diese Einladung wurde schon benutzt oder ist zu alt. Bitte bitten Sie um eine neue.
provider-linked-elsewhere = Diese Identität bei { $provider } gehört hier zu einem anderen Konto. Melden Sie sich dort mit einer anderen Identität an, oder entfernen Sie sie zuerst vom anderen Konto.
provider-other-identity = Das Konto hat schon eine Identität bei { $provider }, und mehr als eine geht nicht. Entfernen Sie zuerst jene.
provider-administrator-title = Nicht hinzugefügt
provider-administrator = Ihr Konto verwaltet diesen Dienst inzwischen, und mit einem solchen Konto wird nichts allein wegen der gleichen E-Mail-Adresse verknüpft. Es wurde nichts geändert. Wenn { $provider } Ihr Konto öffnen soll, fügen Sie es selbst unter „Anmeldedienste“ hinzu; ein Verzeichnis verknüpft, wer den Server betreibt.
provider-locked = Dieses Konto ist gesperrt. Bitte wenden Sie sich an die Administration.
provider-waiting = Ihr Konto ist angelegt. Die Administration muss Sie noch einlassen; Sie bekommen dann eine Mail.
provider-ended = Die Zeit dieses Kontos ist abgelaufen. Bitte wenden Sie sich an die Administration.
provider-off = Die Anmeldung mit { $provider } ist abgeschaltet. Bitte melden Sie sich auf anderem Weg an.
identities-title = Anmeldedienste
identities-text = Wer Sie bei anderen Diensten sind, mit denen Sie sich hier anmelden können.
identities-none = Es gibt noch keinen.
identities-subject = Dort bekannt als
identities-since = Hinzugefügt
identities-last-used = Zuletzt benutzt
identities-remove = Entfernen
identities-last-way = Das ist Ihr einziger Weg zur Anmeldung, deshalb lässt er sich nicht entfernen.
identities-add-title = Hinzufügen
identities-add-text = Sie melden sich dort einmal an und bestätigen danach hier.
identities-add = { $provider } hinzufügen
identity-add-title = Diese Identität hinzufügen?
identity-add-text = Wer sich dort anmelden kann, kann sich dann mit { $provider } in Ihr Konto anmelden.
identity-add-directory-text = Sie melden sich dann mit Ihrem Passwort von { $provider } in Ihrem Konto an; das kann auch, wer es sonst noch kennt.
identity-add-directory = Ihr Passwort hier gilt dann nicht mehr: Von da an zählt nur noch Ihr Passwort von { $provider }, und geändert wird es dort. Wenn Sie { $provider } unter „Anmeldedienste“ wieder entfernen, gilt das hiesige wieder.
identity-add-provider = Anbieter
identity-add-directory-name = Verzeichnis
identity-add-submit = Zu meinem Konto hinzufügen
notice-identity-added = Die Identität wurde hinzugefügt. Sie können sich ab jetzt damit anmelden.
notice-identity-removed = Die Identität wurde entfernt.
