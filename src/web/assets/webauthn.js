// Carries a page's question to a security key or passkey, and the answer into the page's own form.
// Without it every other way of signing in works.
(() => {
  "use strict";

  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (one) => one.charCodeAt(0));
  };
  const text = (buffer) => {
    let plain = "";
    for (const one of new Uint8Array(buffer)) plain += String.fromCharCode(one);
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const listed = (keys) => (keys || []).map((key) => ({ ...key, id: bytes(key.id) }));

  const creation = (options) => ({
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: listed(options.excludeCredentials),
  });
  const request = (options) => ({
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: listed(options.allowCredentials),
  });

  const answer = (key) => {
    const given = key.response;
    const response = { clientDataJSON: text(given.clientDataJSON) };
    if (given.attestationObject) {
      response.attestationObject = text(given.attestationObject);
      response.transports = given.getTransports ? given.getTransports() : [];
    } else {
      response.authenticatorData = text(given.authenticatorData);
      response.signature = text(given.signature);
      response.userHandle = given.userHandle ? text(given.userHandle) : null;
    }
    return JSON.stringify({
      id: key.id,
      rawId: text(key.rawId),
      type: key.type,
      extensions: key.getClientExtensionResults(),
      response,
    });
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const options = JSON.parse(form.dataset.options).publicKey;
    const problem = form.querySelector("[data-problem]");
    let waiting = null;

    const sends = (key) => {
      form.elements.credential.value = answer(key);
      form.submit();
    };
    const asks = (mediation) => {
      if (waiting) waiting.abort();
      waiting = new AbortController();
      const signal = waiting.signal;
      if (form.dataset.passkey === "create") {
        return navigator.credentials.create({ publicKey: creation(options), signal });
      }
      return navigator.credentials.get({ publicKey: request(options), signal, ...mediation });
    };

    form.hidden = !window.PublicKeyCredential;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (problem) problem.hidden = true;
      asks({}).then(sends).catch(() => {
        if (problem) problem.hidden = false;
      });
    });

    const offered = window.PublicKeyCredential && PublicKeyCredential.isConditionalMediationAvailable;
    if (form.dataset.passkey === "offer" && offered) {
      PublicKeyCredential.isConditionalMediationAvailable()
        .then((available) => (available ? asks({ mediation: "conditional" }).then(sends) : null))
        .catch(() => null);
    }
  }
})();
