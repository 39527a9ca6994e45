"""Results for SCADA systems that speak Sparkplug B 3.0 (ISO/IEC 20237)."""
