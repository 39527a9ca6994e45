"""How the device is: counted beside the line, told over MQTT, to Prometheus and to people."""
