// Nothing here is needed to use the site, but for passkeys.

// Times in the visitor's zone: a link where the page has times in another one.
// Browsers call some zones by older names: both are asked what they call this one.
const known = (zone) => Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
const shown = document.querySelector(".zone[data-zone]");
const asked = new URLSearchParams(location.search);
if (shown && here && asked.has("tz") === false && known(shown.dataset.zone) !== here) {
  asked.set("tz", here);
  const link = document.createElement("a");
  link.href = `?${asked}`;
  link.rel = "nofollow";
  link.textContent = document.body.dataset.inMyZone;
  shown.append(" · ", link);
}

// Passkeys: such a form says what the browser is to be asked, is shown where it can be, and sends what it answers.
const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const withBytes = (one) => ({ ...one, id: toBytes(one.id) });
const readers = { create: "parseCreationOptionsFromJSON", get: "parseRequestOptionsFromJSON" };

function optionsOf({ passkey, options }) {
  const given = JSON.parse(options);
  if (PublicKeyCredential[readers[passkey]]) return PublicKeyCredential[readers[passkey]](given);
  return {
    ...given,
    challenge: toBytes(given.challenge),
    user: given.user && withBytes(given.user),
    excludeCredentials: given.excludeCredentials?.map(withBytes),
    allowCredentials: given.allowCredentials?.map(withBytes),
  };
}

// By hand: what some password managers put in the place of a browser's own passkeys has no toJSON.
function answerOf({ id, type, response }) {
  const told = { transports: response.getTransports?.() };
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) told[name] = toText(response[name]);
  }
  return JSON.stringify({ id, rawId: id, type, response: told });
}

async function askForPasskey(event) {
  event.preventDefault();
  const form = event.target;
  const says = form.querySelector("[role=alert]");
  says.textContent = "";
  try {
    const credential = await navigator.credentials[form.dataset.passkey]({ publicKey: optionsOf(form.dataset) });
    form.elements.answer.value = answerOf(credential);
    form.submit();
  } catch (error) {
    const name = error.name[0].toLowerCase() + error.name.slice(1);
    says.textContent = form.dataset[name] ?? form.dataset.failed;
  }
}

if (window.PublicKeyCredential) {
  for (const one of document.querySelectorAll("[data-no-passkeys]")) one.hidden = true;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", askForPasskey);
  }
}
