"""The SolidOS data browser beside the pod: a real Solid app shows what a member keeps."""
