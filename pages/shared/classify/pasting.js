export default function(component) {
  const { parentElement, setTriggerValue } = component;
  const area = parentElement.querySelector('.paste');
  const button = parentElement.querySelector('button');
  const words = parentElement.querySelector('span');
  const send = (blob) => {
    const reader = new FileReader();
    reader.onload = () => setTriggerValue('picture', reader.result);
    reader.readAsDataURL(blob);
  };
  area.onpaste = (event) => {
    event.preventDefault();
    const file = [...event.clipboardData.files][0];
    if (file) send(file);
    else words.textContent = 'The clipboard holds no picture; copy one and paste again';
  };
  button.hidden = !(navigator.clipboard && navigator.clipboard.read);
  button.onclick = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((name) => name.startsWith('image/'));
        if (type) return send(await item.getType(type));
      }
      words.textContent = 'The clipboard holds no picture; copy one and paste again';
    } catch {
      words.textContent = 'The browser keeps the clipboard closed; press Ctrl+V here';
      area.focus();
    }
  };
}
