// "Use my location": shown where the device can tell, posts the position as any other choice.
const button = document.getElementById("locate");
const form = document.getElementById("here");
if (button && navigator.geolocation) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.setAttribute("aria-busy", "true");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        form.elements.lat.value = coords.latitude;
        form.elements.lon.value = coords.longitude;
        form.submit();
      },
      () => {
        button.removeAttribute("aria-busy");
        document.getElementById("locate-say").textContent = button.dataset.failed;
        document.getElementById("address").focus();
      },
      { timeout: 10000, maximumAge: 60000 },
    );
  });
}
