// The script of the list: everything works without it, but nothing moves then.
import { keepAges } from "./ages.js";
import { follow } from "./live.js";
import { watchSelection } from "./selection.js";

keepAges();
watchSelection();
follow();
